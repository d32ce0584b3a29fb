// What the guest reads before and after a plan, compared: what a plan claims about it is checked, not
// believed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/planning/plan.h"

namespace cowvet {

// Both contexts have run all passes; `after` on the overlays that hold the steps' writes. Compares the active
// disk and every snapshot that is there in both: extents, and content where clusters moved or were written
// to. Ranges that a step names in its impact may differ, and so may what could not be read before. Returns
// the first difference, for people; none: the views are the same.
std::optional<std::string> compare_guest_views(const Context& before, const Context& after,
                                               const std::vector<Step>& steps);

}  // namespace cowvet
