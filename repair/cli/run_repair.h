// cowvet-repair without its main.
#pragma once

#include "repair/cli/options.h"
#include "repair/cli/outcome.h"

namespace cowvet {

// Does what the options say. Prints the plan and questions, but not the outcome.
Outcome repair(const RepairOptions& options);

// The whole program: returns the exit status.
int run_repair(const Arguments& arguments);

}  // namespace cowvet
