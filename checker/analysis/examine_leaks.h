// Every leaked region is looked at before it is called a leak: it may be the guest's only copy of something.
#pragma once

#include <cstdint>
#include <vector>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/compare_refcounts.h"
#include "checker/analysis/context.h"
#include "checker/analysis/tables.h"

namespace cowvet {

// refcount/leak, refcount/orphan-mapping, header/l1-implausible. `zero_tables` are indices of L2 tables (into
// tables.l2) in which every entry is zero; clusters in `spared` are not reported. `uncounted`: see
// uncounted_clusters.h. Returns what was reported as lost data.
ClusterSet examine_leaks(Context& context, const Tables& tables,
                         const std::vector<std::uint32_t>& zero_tables, const Offenders& offenders,
                         const ClusterSet& spared, const ClusterSet& uncounted);

}  // namespace cowvet
