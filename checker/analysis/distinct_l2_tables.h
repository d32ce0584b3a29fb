// The distinct L2 tables of an image: those of the active disk and of every snapshot, each named once however
// many L1 entries share it.
#pragma once

#include <cstdint>
#include <vector>

#include "checker/analysis/guest_extents.h"

namespace cowvet {

struct DistinctL2Table {
  std::uint64_t offset = 0;    // in the image, bytes
  std::uint64_t l1_index = 0;  // of the first L1 entry that names it
  std::uint32_t state = 0;     // and whose it is: index into DistinctL2Tables::states
};

struct DistinctL2Tables {
  std::vector<DiskState> states;        // the active disk, then the snapshots in the order of their table
  std::vector<DistinctL2Table> tables;  // by offset
};

// Tables that are aligned and begin inside the file. L1 tables that cannot be read are passed over: who
// checks the references has reported them. Every byte of an L1 table is read once, however snapshots overlap.
DistinctL2Tables find_distinct_l2_tables(const Context& context);

}  // namespace cowvet
