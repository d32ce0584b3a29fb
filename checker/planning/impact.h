// Whose view of the guest an L2 entry makes: the active disk and snapshots share tables.
#pragma once

#include <string>
#include <vector>

#include "checker/planning/round.h"

namespace cowvet {

// The disk states whose L1 table names the L2 table that `finding` is in, at the same guest offset; at least
// the finding's own. Names as Place::owner.
std::vector<std::string> owners_of_table(Round& round, const Finding& finding);

// Adds an impact for each of them.
void add_impact(Round& round, const Finding& finding, GuestRange range, const std::string& before,
                const std::string& after, Step& step);

}  // namespace cowvet
