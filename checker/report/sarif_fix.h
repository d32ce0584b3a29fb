// A plan as a `fix` of SARIF.
//
// It holds the writes of all steps, which are only right together. Regions are of the file as it is; where
// the file grows, the new bytes replace an empty region at its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"

namespace cowvet {

inline constexpr std::uint64_t kLargestFixBytes = 16 << 20;  // that it writes

struct SarifFix {
  std::string json;                  // empty: there is none
  std::vector<std::string> remarks;  // sentences: why there is none, and what it leaves out
};

SarifFix sarif_fix(const Report& report, const Plan& plan);

// The result that carries the fix: the first one that the plan settles, else the first one at all.
const Finding* carrier_of(const Report& report, const Plan& plan);

}  // namespace cowvet
