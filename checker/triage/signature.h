// What makes two images alike for who sorts thousands of them: the same rules are broken in the same kinds of
// structures of the same kind of image. Offsets, cluster numbers, counts, sizes and names do not matter.
//
//   signature = outcome, { " ", feature }, { " ", trace }, [ ":", { " ", element } ] ;
//   feature   = "v2" | "v3" | "extended-l2" | "data-file" | "raw" | "backing" | "encrypted" | "zstd" |
//               "snapshots" | "bitmaps" ;
//   trace     = "repair-unfinished" | "kept-leaks" ;            of a repair
//   element   = rule, "(", place, [ " ~ ", place ], ")" ;       the second one: the other party of a conflict
//   place     = [ "data-file " | "backing-file " ], [ "snapshot " | "bitmap " ], structure ;
//
// as in "corrupt v3 snapshots: l2/copied(L2 table) refcount/leak(data)". Elements are in the order of the
// catalogue, each once. The features are left out where the header cannot be used.
#pragma once

#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"
#include "checker/triage/image_result.h"

namespace cowvet {

Outcome outcome_of(const Report& report);

// Only of the findings that the report holds, which are the first of each rule.
std::string signature_of(const Report& report);

// Where there is no report: "crashed: signal 11".
std::string signature_of(Outcome outcome, std::string_view reason);

}  // namespace cowvet
