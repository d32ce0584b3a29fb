// The references that were counted against the refcount blocks.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/context.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"

namespace cowvet {

enum class Mismatch : std::uint8_t { too_low, too_high, overflow, table_too_short };
inline constexpr unsigned kMismatches = 4;

// Neighbouring clusters with the same counts.
struct MismatchRun {
  std::uint64_t first = 0;  // cluster
  std::uint64_t count = 0;
  std::uint64_t stored = 0;
  std::uint64_t references = 0;
};

// What the comparison finds. Sets are over host clusters. All of it outlives the window of a capped walk.
struct Offenders {
  // Adds what another one holds, but for the runs.
  void merge(const Offenders& other);

  std::array<std::vector<MismatchRun>, kMismatches> runs;  // in order, maximal
  ClusterSet copied_wrongly;       // an active entry has COPIED set, the refcount is not 1
  ClusterSet clear_wrongly;        // an active entry has COPIED clear, the refcount is 1
                                   // Both: only one of them where Options::name_copied is false.
  ClusterSet contested;            // claimed by parties that exclude each other
  ClusterSet leaked;               // refcount above 0, no reference
  std::uint64_t used_end = 0;      // one behind the last cluster of the file that is referenced or counted
  std::uint64_t cut_clusters = 0;  // referenced and counted, but past the end of the file
  std::uint64_t cut_end = 0;       // one behind the last of them
  bool complete = true;            // every refcount could be read
};

// Compares the clusters in the window of `references`, on options.threads threads: refcount/too-low,
// -too-high, -overflow, -table-too-short. Leaks are only collected.
void compare_refcounts(Context& context, const References& references, const RefcountTable& refcounts,
                       const AreaIndex& areas, Offenders& offenders);

// The clusters in the window of `references` that parties claim which exclude each other, whatever the
// refcounts say of them.
void collect_contested(const Context& context, const References& references, Offenders& offenders);

// refcount/too-low, -too-high, -overflow, -table-too-short. To be called behind the last window.
void report_mismatches(Context& context, const Offenders& offenders);

}  // namespace cowvet
