// Who owns which part of the image file, as far as fixed metadata goes.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "checker/analysis/context.h"

namespace cowvet {

// The fixed areas (Context::areas) by cluster.
class AreaIndex {
 public:
  explicit AreaIndex(const Context& context);

  // The area that owns the cluster, or nullptr.
  const Area* find(std::uint64_t cluster) const;

  // Whether an area owns any of the clusters from `begin` up to `end`.
  bool touches(std::uint64_t begin, std::uint64_t end) const;

  // Pairs that share clusters: the earlier owner and the later claimant.
  const std::vector<std::pair<const Area*, const Area*>>& overlaps() const { return overlaps_; }

 private:
  struct Span {
    std::uint64_t begin, end;  // clusters
    const Area* area;
  };
  std::vector<Span> spans_;
  std::vector<std::pair<const Area*, const Area*>> overlaps_;
};

}  // namespace cowvet
