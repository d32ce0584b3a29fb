// Tables that nothing names any more, among the clusters that have a refcount and no reference. Where the
// refcounts say nothing, any cluster without a reference may hold one.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "checker/planning/round.h"

namespace cowvet {

// Offsets of these clusters, in order; at most a million.
std::vector<std::uint64_t> unowned_clusters(const Round& round);

// Whether no reference leads to any cluster of the range, which lies in the file.
bool is_unowned(const Round& round, std::uint64_t offset, std::uint64_t length);

// Where L1 tables of `entries` entries may be that nothing names: each of their entries names an L2 table, at
// least one is not empty, and zeros follow behind the last.
std::vector<std::uint64_t> lost_l1_tables(const Round& round, std::uint64_t entries);

// Whether the L1 table at `offset` is sound in itself, whoever names it.
bool holds_l1_table(const Round& round, std::uint64_t offset, std::uint64_t entries);

// Where bitmap tables of `entries` entries may be that nothing names. One without any bitmap data is all
// zeros, and found only where `with_empty`.
std::vector<std::uint64_t> lost_bitmap_tables(const Round& round, std::uint32_t entries, bool with_empty);

// Where encryption headers may be that nothing names.
std::vector<std::uint64_t> lost_luks_headers(const Round& round);

// Whether none of the unowned clusters holds anything but zeros. False as well where they cannot be read.
bool unowned_are_zeros(const Round& round);

}  // namespace cowvet
