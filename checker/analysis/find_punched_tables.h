// Zeros that were written over part of an L2 table.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/analysis/tables.h"

namespace cowvet {

// Clusters [first, first + count).
struct ClusterRange {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  auto operator<=>(const ClusterRange&) const = default;
};

// Entries [first, first + clusters.count) of a table, which are zeros, and the clusters that they must have
// named.
struct Punched {
  ClusterRange clusters;
  std::uint32_t table = 0;  // into tables.l2
  std::uint64_t first = 0;
  auto operator<=>(const Punched&) const = default;
};

// A disk written in order has its clusters in the order of the entries. So where zeros fill whole sectors of
// a table, and `lost` has just as many clusters in a row, which go on where the entry before the zeros or the
// one behind them names a cluster, these are the clusters that were named there. (Guests discard data too,
// and a crash then leaves leaks; but hardly ever such that whole sectors of the table and nothing else are
// empty.) `lost`: maximal, in order. The result is in order, at most one for each of them.
std::vector<Punched> find_punched_tables(Context& context, const Tables& tables,
                                         const std::vector<ClusterRange>& lost);

}  // namespace cowvet
