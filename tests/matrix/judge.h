// One case of the matrix: a damaged image through checker, planner, repair, and the checker again.
#pragma once

#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"
#include "corpus/build.h"

namespace cowvet::matrix {

struct Verdict {
  bool noticed = false;           // the checker finds what it does not find in the sound image
  bool planned = false;           // there is a plan; else the header does not even allow to look behind it
  std::string unfit;              // why the plan must not be applied; empty: it may
  bool is_too_large = false;      // the plan makes a file so long, by a hole, that it was not tried
  bool is_clean = false;          // after the repair nothing above a notice is left, as the plan said
  std::vector<std::string> left;  // the rules above a notice that are left, as the plan said
  // What must never happen: a plan for what was never found, old bytes that are not there, something else
  // left than the plan said, a view of the guest that it did not announce.
  std::vector<std::string> broken;
};

// `sound`: the image before. `damaged` has its data file and layout.
Verdict judge(const corpus::Recipe& recipe, const corpus::BuiltImage& sound, corpus::BuiltImage damaged);

}  // namespace cowvet::matrix
