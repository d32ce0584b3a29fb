// How a count of all references begins, before the L2 tables are walked (walk_l2_tables.h).
#pragma once

#include <cstdint>

#include "checker/analysis/context.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/analysis/tables.h"

namespace cowvet {

// Clusters that can be referenced or counted: those of the file, and what refcount blocks describe beyond.
std::uint64_t countable_clusters(const Context& context, const RefcountTable& refcounts);

// Bytes. References cost at most a few bits for each entry of a table that is really there: no image that
// keeps to that is slowed down by this cap, and one that scatters its entries over a huge sparse file cannot
// take more.
std::uint64_t references_cap(const Context& context, const Tables& tables);

// Everything that is neither guest data nor found through an L2 table. Has to be said again for each window.
void claim_metadata(const Context& context, const RefcountTable& refcounts, const Tables& tables,
                    References& references);

}  // namespace cowvet
