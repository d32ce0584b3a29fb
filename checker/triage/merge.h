// Joins the JSON lines of several runs, of the shards of a corpus above all.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "checker/triage/groups.h"

namespace cowvet {

// Adds the images of all files to `groups`. Empty: nothing is missing; else what is wrong, a sentence each: a
// file or a line that cannot be read, a run that was cut off or looked not at all of its images, a shard that
// is not there or is there twice. What could be read counts all the same.
std::vector<std::string> merge_lines(const std::vector<std::string>& files, Groups& groups);

}  // namespace cowvet
