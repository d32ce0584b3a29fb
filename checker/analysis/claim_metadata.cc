#include "checker/analysis/claim_metadata.h"

#include <algorithm>

namespace cowvet {

void claim_metadata(const Context& context, const RefcountTable& refcounts, const Tables& tables,
                    References& references) {
  const unsigned bits = context.geometry.cluster_bits;
  for (const Area& area : context.areas) {
    if (area.length == 0) continue;
    const std::uint64_t first = area.offset >> bits;
    references.claim(first, ((area.offset + area.length - 1) >> bits) - first + 1, Claim::other);
  }
  for (const std::uint64_t offset : refcounts.offsets) references.claim(offset >> bits, 1, Claim::other);
  for (const std::uint64_t offset : tables.outside) references.claim(offset >> bits, 1, Claim::other);
  for (const L2Table& table : tables.l2) {
    if (!table.walk) continue;
    const Claim kind = !table.active ? Claim::other : table.copied ? Claim::copied : Claim::clear;
    references.claim(table.offset >> bits, 1, kind, table.weight);
  }
}

std::uint64_t countable_clusters(const Context& context, const RefcountTable& refcounts) {
  std::uint64_t clusters = context.geometry.file_clusters;
  for (const RefcountBlock& block : refcounts.blocks)
    if (block.believed) clusters = std::max(clusters, (block.index + 1) * refcounts.clusters_per_block);
  return clusters;
}

std::uint64_t references_cap(const Context& context, const Tables& tables) {
  if (context.options.max_memory_bytes != 0) return context.options.max_memory_bytes;
  return (std::uint64_t{64} << 20) + tables.l2.size() * context.geometry.cluster_bytes;
}

}  // namespace cowvet
