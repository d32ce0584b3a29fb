// What a triage comes to: a table for people, a JSON document, or JSON lines, which can be merged.
//
//   lines = { image }, { group }, end ;                        image: see image_result.h
//   group = {"type":"group", "outcome":OUTCOME, "signature":TEXT, "images":N, "smallest":NAME,
//            "smallest-size":BYTES} ;
//   end   = {"type":"end", "images":N, "shard":"K/N", "complete":BOOLEAN} ;
#pragma once

#include <string>

#include "checker/triage/groups.h"
#include "checker/triage/image_source.h"

namespace cowvet {

// Names are escaped: nothing in it controls a terminal.
std::string triage_table(const Groups& groups);

// {"images":N, "outcomes":{OUTCOME:N}, "groups":[...], "complete":BOOLEAN}
std::string triage_json(const Groups& groups, bool complete);

// All lines but those of the images. `complete`: every image that belongs to the shard was looked at.
std::string closing_lines(const Groups& groups, Shard shard, bool complete);

}  // namespace cowvet
