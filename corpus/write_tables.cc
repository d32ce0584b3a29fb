#include <algorithm>
#include <set>

#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

struct EncodedEntry {
  std::uint64_t descriptor = 0;
  std::uint64_t subclusters = 0;
};

// COPIED says that the refcount is exactly one; in a data file every cluster has an implicit refcount of one.
std::uint64_t copied_bit(const Draft& draft, const MappedCluster& cluster, bool active) {
  if (draft.has_data_file()) return kCopied;
  return active && draft.layout.clusters.references(cluster.host_offset) == 1 ? kCopied : 0;
}

EncodedEntry encode_entry(const Draft& draft, const MappedCluster& cluster, bool active) {
  using State = MappedCluster::State;
  const Shape& shape = draft.layout.shape;
  if (cluster.state == State::compressed)
    return {.descriptor = encode_compressed(cluster.descriptor, shape.cluster_bits).raw};
  EncodedEntry entry{.descriptor = cluster.host_offset};
  if (cluster.state == State::allocated) entry.descriptor |= copied_bit(draft, cluster, active);
  if (cluster.zero) entry.descriptor |= L2Entry::kZero;
  if (shape.extended_l2)
    entry.subclusters = std::uint64_t{cluster.subclusters_zero} << 32 | cluster.subclusters_allocated;
  return entry;
}

void write_l2_table(Draft& draft, std::uint64_t offset, const L2Table& table, bool active) {
  const Shape& shape = draft.layout.shape;
  put_bytes(draft.image, offset, std::vector<std::byte>(shape.cluster_bytes));
  for (const auto& [index, cluster] : table.entries) {
    const EncodedEntry entry = encode_entry(draft, cluster, active);
    put_number(draft.image, offset + index * shape.l2_entry_bytes, entry.descriptor);
    if (shape.extended_l2)
      put_number(draft.image, offset + index * shape.l2_entry_bytes + 8, entry.subclusters);
  }
}

void write_l1_table(Draft& draft, const L1Layout& l1, bool active) {
  for (std::uint64_t i = 0; i < l1.l2_offsets.size(); ++i) {
    const std::uint64_t l2 = l1.l2_offsets[i];
    const bool copied = active && l2 != 0 && draft.layout.clusters.references(l2) == 1;
    put_number(draft.image, l1.offset + i * 8, l2 | (copied ? kCopied : 0));
  }
}

std::uint64_t refcount_of(Draft& draft, std::uint64_t cluster) {
  const std::uint64_t references = draft.layout.clusters.clusters()[cluster].references;
  const std::uint64_t most = max_refcount(draft.layout.shape.refcount_order);
  if (references > most && !draft.recipe.image.saturate_refcounts)
    draft.fail("cluster " + std::to_string(cluster) + " has " + std::to_string(references) +
               " references, more than the refcount bits can say");
  return std::min(references, most);
}

void write_refcounts(Draft& draft) {
  const HostClusters& clusters = draft.layout.clusters;
  const Shape& shape = draft.layout.shape;
  const std::vector<std::uint64_t>& blocks = clusters.refcount_blocks();
  const std::uint64_t table = clusters.refcount_table_offset();
  put_bytes(draft.image, table,
            std::vector<std::byte>(clusters.refcount_table_clusters() * shape.cluster_bytes));
  for (std::uint64_t i = 0; i < blocks.size(); ++i) {
    if (blocks[i] == 0) continue;
    put_number(draft.image, table + i * 8, blocks[i]);
    std::vector<std::byte> block(shape.cluster_bytes);
    for (std::uint64_t j = 0; j < shape.refcounts_in_block; ++j) {
      const std::uint64_t cluster = i * shape.refcounts_in_block + j;
      if (cluster >= clusters.clusters().size()) break;
      set_refcount(block, shape.refcount_order, j, refcount_of(draft, cluster));
    }
    put_bytes(draft.image, blocks[i], block);
  }
}

}  // namespace

void write_tables(Draft& draft) {
  const Layout& layout = draft.layout;
  const std::set<std::uint64_t> active(layout.l1.l2_offsets.begin(), layout.l1.l2_offsets.end());
  for (const auto& [offset, table] : layout.l2_tables)
    write_l2_table(draft, offset, table, active.contains(offset));
  write_l1_table(draft, layout.l1, true);
  for (const SnapshotLayout& snapshot : layout.snapshots) write_l1_table(draft, snapshot.l1, false);
  write_refcounts(draft);
}

}  // namespace cowvet::corpus
