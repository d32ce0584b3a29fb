// Whether a plan does what it says, and no harm: judged by running the checker before and after it, in
// memory.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/planning/plan.h"

namespace cowvet {

// The first rule that was found more or less often than `remaining` says, for people; empty: none.
std::string find_difference(const std::vector<RuleTotal>& remaining, const std::vector<RuleTotal>& found);

// What is worse after the steps than before, for people; empty: nothing. Both contexts have run all passes
// and have their reports, `after` on the overlays that hold the steps' writes. `found_before`: the rules that
// may be found again.
std::string find_harm(const Context& before, const Context& after, const std::set<RuleId>& found_before,
                      const std::vector<Step>& steps);

struct Rehearsal {
  Report found;         // before the plan
  std::string refusal;  // why the plan must not be carried out, for people; empty: it may
};

// For a plan that comes from elsewhere: whether it was made for this image in this state, changes what it
// says, leaves what it says, and does no harm. Whether the check is deep is up to the plan.
Rehearsal rehearse(const Inputs& inputs, const Plan& plan, Options check, Progress& progress);

}  // namespace cowvet
