// What clusters hold that nothing refers to.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/compare_refcounts.h"
#include "checker/analysis/context.h"
#include "checker/analysis/find_punched_tables.h"
#include "checker/analysis/l2_entry.h"

namespace cowvet {

enum class ClusterContent : std::uint8_t { zeros, l2_table, other };

class UnreferencedContent {
 public:
  // What can only be an L2 table names clusters that miss a reference themselves: they are `leaked`, counted
  // too high (`offenders`), or `uncounted`, because the refcounts of both were lost. All must outlive this.
  UnreferencedContent(Context& context, const ClusterSet& leaked, const ClusterSet& uncounted,
                      const Offenders& offenders);

  // Reads what is not a hole and not in `spared`, on all threads. Calls visit(cluster, content), one at a
  // time, where it is not zeros.
  void look_into(std::span<const ClusterRange> regions, const ClusterSet& spared,
                 const std::function<void(std::uint64_t, ClusterContent)>& visit) const;

 private:
  ClusterContent look_into(std::uint64_t cluster, std::vector<std::byte>& buffer) const;

  Context& context_;
  const Geometry& geometry_;
  const ClusterSet& leaked_;
  const ClusterSet& uncounted_;
  ClusterSet counted_too_high_;
  const EntryJudge judge_;
};

}  // namespace cowvet
