// cowvet-repair --output NEW: the image is only read.
#pragma once

#include "repair/cli/options.h"
#include "repair/cli/outcome.h"

namespace cowvet {

// Makes the plan; if it changes anything and may be carried out, copies the image and repairs the copy. NEW
// comes into being when that is done, and not at all when it fails.
Outcome repair_copy(const RepairOptions& options);

}  // namespace cowvet
