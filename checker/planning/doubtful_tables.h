// L2 tables that are none: an L1 entry was damaged, and names guest data, or the table was overwritten. What
// their entries seem to say is noise, and to put it right would destroy what lies there.
#pragma once

#include <optional>

#include "checker/planning/round.h"

namespace cowvet {

// Whether `finding` is in an L2 table of which most entries make no sense, reserved bits aside.
bool is_in_doubtful_table(Round& round, const Finding& finding);

// How many tables with findings are doubtful.
std::uint64_t count_doubtful_tables(Round& round);

// The same finding as one about the L1 entry, of the active disk or a snapshot, that names the table: its
// place, and the guest range of the whole table. None where that entry names another table by now.
std::optional<Finding> as_finding_of_l1_entry(Round& round, const Finding& finding);

}  // namespace cowvet
