// Reports made by hand.
#pragma once

#include "checker/analysis/analyze.h"

namespace cowvet {

Report sound_report();

// Adds a finding and keeps totals and counters in step with it, as the analysis does.
void add(Report& report, Finding finding);

// A sound report but for one finding.
Report with(Finding finding);
Report with(RuleId id);

}  // namespace cowvet
