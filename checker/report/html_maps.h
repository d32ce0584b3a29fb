// The two maps of the HTML report, as data for its script.
#pragma once

#include <string>

#include "checker/analysis/context.h"

namespace cowvet {

// A JSON object that is safe inside a <script> element:
//
//   {"file": map or null, "disk": map or null}
//   map = {"unit": bytes, "bytes": length of what is mapped, "kinds": [[name, text], ...],
//          "numbers": [...] (MapSummary::numbers)}
//
// `disk` is the active disk, as this image alone maps it. null: the metadata is too damaged to tell.
std::string map_data(Context& context);

}  // namespace cowvet
