// What completes a header that is being rebuilt, once its L1 and refcount tables are found: clusters that are
// counted, and that nothing names yet. They may be empty ends of these tables, an encryption header, bitmaps.
#pragma once

#include "checker/planning/header_draft.h"

namespace cowvet {

// Takes what makes everything fit together better, where only one thing does; remarks say what was taken, and
// what was not for being in doubt. `score` is that of the draft, and afterwards that of the new one.
//
// Whether bitmaps were up to date is not known any more: they are marked as not saved correctly, so that no
// backup rests on them, and stay where they are.
void refine_header(HeaderDraft& draft, Score& score, const Inputs& inputs, const Options& options,
                   const PlanOptions& planning);

}  // namespace cowvet
