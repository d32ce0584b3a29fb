// The walk over all L2 tables: judges every entry and claims what it holds.
#pragma once

#include <cstdint>
#include <vector>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/context.h"
#include "checker/analysis/references.h"
#include "checker/analysis/tables.h"

namespace cowvet {

struct WalkResult {
  bool complete = true;                  // every table could be read
  std::uint64_t allocated_clusters = 0;  // as Counters
  std::uint64_t fragmented_clusters = 0;
  std::uint64_t compressed_clusters = 0;
  std::vector<std::uint32_t> zero_tables;  // indices of tables in which every entry is zero
  std::vector<std::uint32_t> suspects;     // tables that do not look like L2 tables at all
  std::vector<std::uint32_t> held_back;    // not walked: the suspects, and other tables of their guest ranges
};

struct WalkMode {
  bool report = true;                                // false: claim only; a later window of a capped walk
  bool find_suspects = true;                         // and hold them back
  const std::vector<std::uint32_t>* only = nullptr;  // walk these (sorted) tables alone
};

// Walks on options.threads threads. `spared` receives clusters that entries name without a valid claim
// (compressed clusters beside an external data file): they are in use by nobody, and yet no leaks.
WalkResult walk_l2_tables(Context& context, const Tables& tables, References& references, ClusterSet& spared,
                          WalkMode mode);

}  // namespace cowvet
