// The references that were counted against the refcount blocks.
#pragma once

#include <cstdint>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/context.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"

namespace cowvet {

// What the comparison finds, as sets over host clusters. They outlive the window of a capped walk.
struct Offenders {
  explicit Offenders(std::uint64_t clusters)
      : copied_wrongly(clusters), clear_wrongly(clusters), contested(clusters), leaked(clusters) {}

  ClusterSet copied_wrongly;       // an active entry has COPIED set, the refcount is not 1
  ClusterSet clear_wrongly;        // an active entry has COPIED clear, the refcount is 1
  ClusterSet contested;            // claimed by parties that exclude each other
  ClusterSet leaked;               // refcount above 0, no reference
  std::uint64_t used_end = 0;      // one behind the last cluster of the file that is referenced or counted
  std::uint64_t cut_clusters = 0;  // referenced and counted, but past the end of the file
  std::uint64_t cut_end = 0;       // one behind the last of them
};

// Compares the clusters in the window of `references`, on options.threads threads: refcount/too-low,
// -too-high, -overflow, -table-too-short. Leaks are only collected.
void compare_refcounts(Context& context, const References& references, const RefcountTable& refcounts,
                       const AreaIndex& areas, Offenders& offenders);

}  // namespace cowvet
