#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

// Calls `visit` with the host offset of every cluster that the stream touches.
template <typename Visit>
void for_each_cluster(const Draft& draft, const CompressedDescriptor& at, Visit visit) {
  const Shape& shape = draft.layout.shape;
  for (std::uint64_t host = shape.round_down(at.offset); host < at.end(); host += shape.cluster_bytes)
    visit(host);
}

void retain_cluster(Draft& draft, const MappedCluster& cluster) {
  HostClusters& clusters = draft.layout.clusters;
  if (cluster.state == MappedCluster::State::allocated && !draft.has_data_file())
    clusters.retain(cluster.host_offset);
  if (cluster.state == MappedCluster::State::compressed)
    for_each_cluster(draft, cluster.descriptor, [&](std::uint64_t host) { clusters.retain(host); });
}

std::uint64_t allocate_l2(Draft& draft, std::uint64_t l1_index) {
  const std::uint64_t guest = l1_index * draft.layout.shape.window_bytes;
  const std::uint64_t offset = draft.layout.clusters.allocate(1, "L2 table", guest);
  draft.layout.l2_tables[offset] = {guest, {}};
  return offset;
}

}  // namespace

MappedCluster* writable_cluster(Draft& draft, std::uint64_t guest) {
  Layout& layout = draft.layout;
  const std::uint64_t l1_index = guest / layout.shape.window_bytes;
  if (l1_index >= layout.l1.l2_offsets.size()) {
    draft.fail("guest offset " + std::to_string(guest) + " is beyond the L1 table");
    return nullptr;
  }
  std::uint64_t& l2_offset = layout.l1.l2_offsets[l1_index];
  if (l2_offset == 0) {
    l2_offset = allocate_l2(draft, l1_index);
  } else if (layout.clusters.references(l2_offset) > 1) {
    // What the entries refer to keeps its references: the copy refers to it in the place of the original.
    const std::uint64_t copy = allocate_l2(draft, l1_index);
    layout.l2_tables[copy].entries = layout.l2_tables[l2_offset].entries;
    layout.clusters.release(l2_offset);
    l2_offset = copy;
  }
  return &layout.l2_tables[l2_offset].entries[guest % layout.shape.window_bytes / layout.shape.cluster_bytes];
}

void release_cluster(Draft& draft, const MappedCluster& cluster) {
  HostClusters& clusters = draft.layout.clusters;
  if (cluster.state == MappedCluster::State::allocated && !draft.has_data_file())
    clusters.release(cluster.host_offset);
  if (cluster.state == MappedCluster::State::compressed)
    for_each_cluster(draft, cluster.descriptor, [&](std::uint64_t host) { clusters.release(host); });
}

void retain_l1(Draft& draft, const L1Layout& l1) {
  for (const std::uint64_t l2_offset : l1.l2_offsets) {
    if (l2_offset == 0) continue;
    draft.layout.clusters.retain(l2_offset);
    for (const auto& [index, cluster] : draft.layout.l2_tables[l2_offset].entries)
      retain_cluster(draft, cluster);
  }
}

void release_l1(Draft& draft, const L1Layout& l1) {
  for (const std::uint64_t l2_offset : l1.l2_offsets) {
    if (l2_offset == 0) continue;
    for (const auto& [index, cluster] : draft.layout.l2_tables[l2_offset].entries)
      release_cluster(draft, cluster);
    draft.layout.clusters.release(l2_offset);
    if (draft.layout.clusters.references(l2_offset) == 0) draft.layout.l2_tables.erase(l2_offset);
  }
}

bool owns_cluster(const Draft& draft, const MappedCluster& cluster) {
  return cluster.state == MappedCluster::State::allocated &&
         (draft.has_data_file() || draft.layout.clusters.references(cluster.host_offset) == 1);
}

}  // namespace cowvet::corpus
