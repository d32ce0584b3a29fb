#include "corpus/host_clusters.h"

namespace cowvet::corpus {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

}  // namespace

HostClusters::HostClusters(const Shape& shape, std::uint64_t refcount_table_clusters)
    : bits_(shape.cluster_bits),
      refcounts_in_block_(shape.refcounts_in_block),
      table_clusters_(refcount_table_clusters) {
  clusters_.push_back({"header", 1, {}});
  for (std::uint64_t i = 0; i < table_clusters_; ++i) clusters_.push_back({"refcount table", 1, {}});
  place_refcount_blocks(0, 0);
}

std::uint64_t HostClusters::allocate(std::uint64_t count, const std::string& use,
                                     std::optional<std::uint64_t> guest) {
  if (count > (kMostBytes - std::min(kMostBytes, end_bytes())) >> bits_) {
    too_large_ = true;
    return 0;  // harmless: the header is never written through this
  }
  place_refcount_blocks(clusters_.size(), count);
  const std::uint64_t offset = end_bytes();
  for (std::uint64_t i = 0; i < count; ++i) clusters_.push_back({use, 1, guest});
  return offset;
}

void HostClusters::skip(std::uint64_t count) {
  if (count > kMostBytes >> bits_) {
    too_large_ = true;
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) clusters_.push_back({"free", 0, {}});
}

// Every cluster from `first` to `count` clusters behind the end gets a refcount block. A block that is placed
// is itself behind the end and moves it, hence the end is looked at anew after each.
void HostClusters::place_refcount_blocks(std::uint64_t first, std::uint64_t count) {
  for (std::uint64_t block = first / refcounts_in_block_;
       block * refcounts_in_block_ < std::max(clusters_.size() + count, first + 1); ++block) {
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    if (blocks_[block] != 0) continue;
    blocks_[block] = end_bytes();
    clusters_.push_back({"refcount block " + std::to_string(block), 1, {}});
  }
}

}  // namespace cowvet::corpus
