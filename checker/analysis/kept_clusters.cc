#include "checker/analysis/kept_clusters.h"

#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "checker/format/units.h"

namespace cowvet {

std::optional<std::uint64_t> hash_clusters(const Device& image, std::uint64_t offset, std::uint64_t length,
                                           unsigned cluster_bits) {
  constexpr std::uint64_t kSampleBytes = 4096;
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  XXH3_64bits_reset(state.get());
  const std::uint64_t cluster_bytes = std::uint64_t{1} << cluster_bits;
  const std::uint64_t end =
      offset + std::min(length, image.size_bytes() - std::min(offset, image.size_bytes()));
  std::vector<std::byte> sample(std::min(kSampleBytes, cluster_bytes));
  for (std::uint64_t at = offset; at < end; at += cluster_bytes) {
    const std::span there = std::span(sample).first(std::min<std::uint64_t>(sample.size(), end - at));
    if (!image.read(at, there)) return std::nullopt;
    XXH3_64bits_update(state.get(), there.data(), there.size());
  }
  return XXH3_64bits_digest(state.get());
}

void add_kept_runs(const Device& image, std::uint64_t first, std::uint64_t count, unsigned cluster_bits,
                   std::vector<KeptRun>& runs) {
  const std::uint64_t end =
      std::min(first + count, divide_up(image.size_bytes(), std::uint64_t{1} << cluster_bits));
  for (std::uint64_t at = first; at < end; at += kMostKeptClusters) {
    const std::uint64_t clusters = std::min(kMostKeptClusters, end - at);
    KeptRun run{.offset = at << cluster_bits, .length = clusters << cluster_bits};
    const auto hash = hash_clusters(image, run.offset, run.length, cluster_bits);
    if (!hash) continue;  // what cannot be read cannot be known again
    run.hash = *hash;
    runs.push_back(run);
  }
}

ClusterSet find_kept(const Device& image, const std::vector<KeptRun>& record, const ClusterSet& leaked,
                     unsigned cluster_bits) {
  ClusterSet kept;
  const std::uint64_t mask = (std::uint64_t{1} << cluster_bits) - 1;
  for (const KeptRun& run : record) {
    const std::uint64_t count = run.length >> cluster_bits;
    const bool is_whole = (run.offset & mask) == 0 && (run.length & mask) == 0 && count != 0 &&
                          count <= kMostKeptClusters && run.offset < image.size_bytes();
    if (!is_whole) continue;
    const std::uint64_t first = run.offset >> cluster_bits;
    ClusterSet still_leaked;
    for (std::uint64_t cluster = first; cluster != first + count; ++cluster)
      if (leaked.contains(cluster)) still_leaked.add(cluster);
    if (!still_leaked.empty() && hash_clusters(image, run.offset, run.length, cluster_bits) == run.hash)
      kept.merge(still_leaked);
  }
  return kept;
}

}  // namespace cowvet
