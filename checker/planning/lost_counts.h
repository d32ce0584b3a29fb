// Where refcounts are lost, nothing tells a free cluster from one whose reference was lost as well.
#pragma once

#include <cstdint>
#include <set>

#include "checker/analysis/cluster_set.h"
#include "checker/catalogue/catalogue.h"

namespace cowvet {

struct RefcountBlock;
struct Round;

// Whether leaks beside what was found may be lost data: a pointer was lost, or two led to one cluster, so
// that another one, which one of them named before, may be named by nothing now.
bool may_hold_lost_data(const std::set<RuleId>& found);

// The same of free clusters: refcounts beside damage to pointers may be wrong, too.
bool may_hold_what_a_repair_looks_for(const std::set<RuleId>& found);

// A pointer leads nowhere, in this round.
bool has_lost_pointers(const Round& round);
// Two shared a cluster, or the header was lost, in any round so far.
bool has_strayed_pointers(const Round& round);

// Clusters of [first, first + count), which lost their refcounts, that hold lost data or may do so, unless
// the user lets them be freed: what was reported as lost, and where pointers were or may have been lost,
// whatever has content, though nothing refers to it, and does not look like old refcounts; that is noted in
// Round::held. Reads the content of what nothing refers to.
ClusterSet find_lost_content(Round& round, std::uint64_t first, std::uint64_t count);

// Whether what the refcount table names as a block holds no refcounts but noise, which may be lost data.
// Narrow refcounts never look like noise.
bool is_noise(Round& round, const RefcountBlock& block);

}  // namespace cowvet
