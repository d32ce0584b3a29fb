// Everything before the first write: what is wrong, what is going to be done, and whether that may be done.
#pragma once

#include <optional>

#include "checker/analysis/analyze.h"
#include "repair/cli/options.h"
#include "repair/cli/outcome.h"

namespace cowvet {

// Examines the image and makes the plan. The ending, if it is settled by now, is in `outcome`; true: there is
// a plan that changes something and may be carried out if the user agrees.
bool make_or_read_plan(const Inputs& inputs, const RepairOptions& options, Outcome& outcome);

// For an image that cannot be opened for reading.
Outcome could_not_open(const OpenImageError& error);

// Asks where that is needed. False: refused, and the outcome says why.
bool get_consent(const RepairOptions& options, Outcome& outcome);

}  // namespace cowvet
