// Leaked clusters that a former repair kept, because they may hold the true data of a guest range that shared
// a cluster with another. Once the two are apart nothing in the image tells such a cluster from waste, so
// that the repair leaves a record of them beside it (kept_record.h). A record is believed only of clusters
// that are leaked and still begin with the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checker/analysis/cluster_set.h"
#include "checker/device/device.h"

namespace cowvet {

// Neighbouring clusters of the image file, at most kMostKeptClusters.
struct KeptRun {
  std::uint64_t offset = 0;  // bytes
  std::uint64_t length = 0;
  std::uint64_t hash = 0;  // XXH3 of the first 4 KiB of each of them
  auto operator<=>(const KeptRun&) const = default;
};

inline constexpr std::uint64_t kMostKeptClusters = 1024;

// None where they cannot be read. A cluster half past the end of the file counts as far as it is there.
std::optional<std::uint64_t> hash_clusters(const Device& image, std::uint64_t offset, std::uint64_t length,
                                           unsigned cluster_bits);

// The record of `count` clusters from `first` on: what lies behind the end of the file holds nothing.
void add_kept_runs(const Device& image, std::uint64_t first, std::uint64_t count, unsigned cluster_bits,
                   std::vector<KeptRun>& runs);

// Those of `leaked` that `record` is right about.
ClusterSet find_kept(const Device& image, const std::vector<KeptRun>& record, const ClusterSet& leaked,
                     unsigned cluster_bits);

}  // namespace cowvet
