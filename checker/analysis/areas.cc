// Which metadata owns a cluster. The areas are flattened into disjoint spans, so that a question is one
// binary search however often they overlap; where they do, the one that begins first owns the cluster.
#include "checker/analysis/areas.h"

#include <algorithm>

namespace cowvet {

AreaIndex::AreaIndex(const Context& context) {
  const unsigned bits = context.geometry.cluster_bits;
  std::vector<const Area*> by_offset;
  for (const Area& area : context.areas)
    if (area.length != 0) by_offset.push_back(&area);
  std::ranges::stable_sort(by_offset, {}, [](const Area* area) { return area->offset; });
  for (const Area* area : by_offset) {
    const std::uint64_t reach = spans_.empty() ? 0 : spans_.back().end;
    const std::uint64_t begin = std::max(area->offset >> bits, reach);
    const std::uint64_t end = ((area->offset + area->length - 1) >> bits) + 1;
    if (area->offset >> bits < reach && !spans_.empty())
      overlaps_.emplace_back(find(area->offset >> bits), area);
    if (begin < end) spans_.push_back({begin, end, area});
  }
}

const Area* AreaIndex::find(std::uint64_t cluster) const {
  const auto behind = std::ranges::upper_bound(spans_, cluster, {}, &Span::begin);
  if (behind == spans_.begin()) return nullptr;
  const Span& span = *std::prev(behind);
  return cluster < span.end ? span.area : nullptr;
}

bool AreaIndex::touches(std::uint64_t begin, std::uint64_t end) const {
  const auto span = std::ranges::upper_bound(spans_, begin, {}, &Span::end);
  return span != spans_.end() && span->begin < end;
}

}  // namespace cowvet
