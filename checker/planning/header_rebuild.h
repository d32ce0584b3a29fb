// A first cluster that was overwritten as a whole: the header is made anew from the tables that lie in the
// file. The refcount table is the one whose blocks count itself; the L1 tables are those that name L2 tables;
// how they belong together shows in the refcounts. A donor, an image made in the same way, says the rest.
//
// What only the first cluster knew is lost without a donor: the exact size of the disk (taken from a
// snapshot or the data file, else from the length of the L1 table: it may be larger than it was), the backing
// file's name, the raw promise about a data file. Bitmaps and an encryption header are looked for (see
// header_refinement.h); that there is a data file, the user has to say.
#pragma once

#include <string>

#include "checker/planning/header_search.h"

namespace cowvet {

inline constexpr std::string_view kRebuild = "rebuild";  // also "rebuild:SIZE", with the disk's size in bytes

// Reads the whole file, but for its holes. The error says what is missing.
std::expected<std::optional<HeaderChange>, std::string> rebuild_header(const Context& before,
                                                                       const PlanOptions& options,
                                                                       const std::string& outcome);

}  // namespace cowvet
