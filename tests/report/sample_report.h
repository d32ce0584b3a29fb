// Reports made by hand.
#pragma once

#include "checker/analysis/analyze.h"

namespace cowvet {

Report sound_report();

// A sound report but for one finding.
Report with(Finding finding);
Report with(RuleId id);

}  // namespace cowvet
