// The second, narrow walk: which entries name the clusters that the comparison found wrong. Runs only where
// there are such clusters.
#pragma once

#include <cstdint>
#include <vector>

#include "checker/analysis/compare_refcounts.h"
#include "checker/analysis/context.h"
#include "checker/analysis/tables.h"

namespace cowvet {

// l1/copied, l2/copied, l2/cross-linked, l2/overlaps-metadata.
void name_offenders(Context& context, const Tables& tables, const AreaIndex& areas,
                    const RefcountTable& refcounts, const Offenders& offenders);

// Of `suspects` (indices into tables.l2), tables whose content does not look like an L2 table: those that
// other L2 tables name as data are not L2 tables (l1/not-l2; L2Table::walk turns false).
void name_misused_tables(Context& context, Tables& tables, const std::vector<std::uint32_t>& suspects);

}  // namespace cowvet
