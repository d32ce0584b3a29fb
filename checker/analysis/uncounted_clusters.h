// Clusters whose refcounts were lost: no refcount says whether they are in use.
#pragma once

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/compare_refcounts.h"
#include "checker/analysis/context.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"

namespace cowvet {

// Whether refcounts were lost at all: sound images have clusters without refcounts, too, which are free.
bool has_lost_counts(const Context& context, const RefcountTable& refcounts, const Offenders& offenders);

// Adds to `uncounted` the clusters in the window of `references` that nothing refers to, and that no block
// counts which could be believed, or a sector of zeros in a block that should count some cluster in use. Only
// what lies in the file, and not in a hole.
void collect_uncounted(const Context& context, const References& references, const RefcountTable& refcounts,
                       const Offenders& offenders, ClusterSet& uncounted);

}  // namespace cowvet
