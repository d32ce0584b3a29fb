// What is printed at the end of a run.
#pragma once

#include <string>

#include "repair/cli/options.h"
#include "repair/cli/outcome.h"

namespace cowvet {

// Prints the outcome as the options want it; returns the exit status.
int report_outcome(const RepairOptions& options, const Outcome& outcome);

// One or a few lines for people; empty where all has been said.
std::string outcome_text(const RepairOptions& options, const Outcome& outcome);

// One JSON document, ASCII, with a line feed at its end.
std::string outcome_json(const RepairOptions& options, const Outcome& outcome);

}  // namespace cowvet
