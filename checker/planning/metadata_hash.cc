#include "checker/planning/metadata_hash.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "checker/analysis/refcount_table.h"
#include "checker/analysis/tables.h"

namespace cowvet {
namespace {

struct Span {
  std::uint64_t first, count;  // clusters
};

std::vector<Span> metadata_spans(const Context& context) {
  const unsigned bits = context.geometry.cluster_bits;
  std::vector<Span> spans;
  for (const Area& area : context.areas)
    if (area.length != 0) {
      const std::uint64_t first = area.offset >> bits;
      spans.push_back({first, ((area.offset + area.length - 1) >> bits) - first + 1});
    }
  if (context.refcounts)
    for (const std::uint64_t offset : context.refcounts->offsets) spans.push_back({offset >> bits, 1});
  if (context.tables)
    for (const L2Table& table : context.tables->l2) spans.push_back({table.offset >> bits, 1});
  std::ranges::sort(spans, {}, [](const Span& span) { return std::pair(span.first, span.count); });
  return spans;
}

}  // namespace

std::uint64_t hash_metadata(const Context& context) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(state.get());
  std::vector<std::byte> cluster(context.geometry.cluster_bytes);
  std::uint64_t hashed_end = 0;  // overlapping areas are hashed once
  for (const Span& span : metadata_spans(context)) {
    const std::uint64_t end = std::min(span.first + span.count, context.geometry.file_clusters);
    for (std::uint64_t at = std::max(span.first, hashed_end); at < end; ++at) {
      const std::uint64_t offset = at << context.geometry.cluster_bits;
      if (!context.image.read(offset, cluster)) std::ranges::fill(cluster, std::byte{0});
      XXH3_64bits_update(state.get(), &offset, sizeof offset);
      XXH3_64bits_update(state.get(), cluster.data(), cluster.size());
    }
    hashed_end = std::max(hashed_end, end);
  }
  return XXH3_64bits_digest(state.get());
}

}  // namespace cowvet
