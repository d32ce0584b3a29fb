// Where tables that the image lost, or that it names in the wrong place, may be: candidates for trial.h. The
// outcome by which the user chooses one is its offset.
#pragma once

#include <vector>

#include "checker/planning/trial.h"

namespace cowvet {

// Other places of the active L1 table, and its present place with the length that the disk needs.
std::vector<Candidate> l1_candidates(const Round& round);

std::vector<Candidate> snapshot_l1_candidates(const Round& round, const SnapshotRecord& record);
std::vector<Candidate> snapshot_table_candidates(const Round& round);
std::vector<Candidate> bitmap_directory_candidates(const Round& round);
std::vector<Candidate> bitmap_table_candidates(const Round& round, const BitmapRecord& record);
std::vector<Candidate> luks_candidates(const Round& round);

}  // namespace cowvet
