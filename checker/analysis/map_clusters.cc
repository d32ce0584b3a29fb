// Three sources say what a cluster is for: where the metadata lies, the references, and the refcount blocks.
// All three are sparse, so that only stretches of the file that one of them speaks of are looked at cluster
// by cluster; everything else is free, however long the file is. References are counted anew, one window of
// clusters after the other, so that memory stays below its cap.
#include "checker/analysis/map_clusters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "checker/analysis/claim_metadata.h"
#include "checker/analysis/cluster_set.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/analysis/tables.h"
#include "checker/analysis/walk_l2_tables.h"
#include "checker/format/refcount_block.h"

namespace cowvet {
namespace {

struct ClusterRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

// A stretch of clusters that one piece of metadata owns.
struct OwnedRange {
  ClusterRange clusters;
  Structure structure = Structure::none;
  std::string_view owner;
};

// All metadata by place, disjoint: where several claim a cluster, the one that begins first owns it.
std::vector<OwnedRange> list_metadata(const Context& context) {
  const unsigned bits = context.geometry.cluster_bits;
  std::vector<OwnedRange> all;
  for (const Area& area : context.areas)
    if (area.length != 0)
      all.push_back(
          {{area.offset >> bits, ((area.offset + area.length - 1) >> bits) + 1}, area.structure, area.owner});
  for (const std::uint64_t offset : context.refcounts->offsets)
    all.push_back({{offset >> bits, (offset >> bits) + 1}, Structure::refcount_block, {}});
  for (const L2Table& table : context.tables->l2)
    if (table.walk)
      all.push_back({{table.offset >> bits, (table.offset >> bits) + 1},
                     Structure::l2_table,
                     context.tables->states[table.state].owner});
  std::ranges::stable_sort(all, {}, [](const OwnedRange& range) { return range.clusters.begin; });
  std::uint64_t reach = 0;
  for (OwnedRange& range : all) {
    range.clusters.begin = std::max(range.clusters.begin, reach);
    reach = std::max(reach, range.clusters.end);
  }
  std::erase_if(all, [](const OwnedRange& range) { return range.clusters.begin >= range.clusters.end; });
  return all;
}

// Refcounts of a few neighbouring clusters at a time. What cannot be read counts as 0: it was reported.
class StoredRefcounts {
 public:
  explicit StoredRefcounts(const Context& context) : context_(context) {}

  std::uint64_t of(std::uint64_t cluster) {
    if (cluster < begin_ || cluster >= end_) load(cluster);
    return empty_ ? 0 : get_refcount(bytes_, context_.geometry.refcount_order, cluster - begin_);
  }

 private:
  void load(std::uint64_t cluster) {
    const RefcountTable& table = *context_.refcounts;
    const unsigned order = context_.geometry.refcount_order;
    const std::uint64_t most = std::min(table.clusters_per_block, (std::uint64_t{64} << 10) * 8 >> order);
    begin_ = cluster - cluster % most;
    end_ = begin_ + most;
    const RefcountBlock* block = table.clusters_per_block != 0 ? table.block_of(cluster) : nullptr;
    empty_ = block == nullptr || !block->believed;
    if (empty_) return;
    bytes_.resize((most << order) / 8);
    const std::uint64_t index = begin_ - block->index * table.clusters_per_block;
    empty_ = !context_.image.read(block->offset + (index << order) / 8, bytes_);
  }

  const Context& context_;
  std::vector<std::byte> bytes_;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
  bool empty_ = true;
};

class ClusterMapper {
 public:
  ClusterMapper(Context& context, const ClusterSink& sink)
      : context_(context), sink_(sink), metadata_(list_metadata(context)), stored_(context) {
    for (const OwnedRange& range : metadata_) fixed_.push_back(range.clusters);
    add_refcount_blocks();
  }

  bool run() {
    const Tables& tables = *context_.tables;
    References references(countable_clusters(context_, *context_.refcounts),
                          references_cap(context_, tables));
    do {
      ClusterSet spared;
      claim_metadata(context_, *context_.refcounts, tables, references);
      walk_l2_tables(context_, tables, references, spared, {.report = false, .find_suspects = false});
      if (!map_window(references)) return false;
    } while (references.next_window());
    return emit({done_, context_.geometry.file_clusters}, {}) && flush();
  }

 private:
  void add_refcount_blocks();
  bool map_window(const References& references);
  std::vector<ClusterRange> spoken_of(const References& references) const;
  ClusterExtent look_at(const References& references, std::uint64_t cluster);
  bool emit(ClusterRange clusters, ClusterExtent what);
  bool flush();

  Context& context_;
  const ClusterSink& sink_;
  std::vector<OwnedRange> metadata_;
  std::vector<ClusterRange> fixed_;  // what metadata and refcount blocks speak of
  std::size_t next_metadata_ = 0;    // the first that does not end before the cluster looked at
  StoredRefcounts stored_;
  std::uint64_t done_ = 0;  // clusters below are handed out, or pending
  ClusterExtent pending_;
};

// The clusters that refcount blocks describe, but for blocks that are holes.
void ClusterMapper::add_refcount_blocks() {
  const RefcountTable& refcounts = *context_.refcounts;
  for (const RefcountBlock& block : refcounts.blocks) {
    const DataExtent data = context_.image.next_data(block.offset);
    const bool hole = data.begin >= data.end || data.begin - block.offset >= context_.geometry.cluster_bytes;
    if (block.believed && !hole)
      fixed_.push_back(
          {block.index * refcounts.clusters_per_block, (block.index + 1) * refcounts.clusters_per_block});
  }
}

bool ClusterMapper::map_window(const References& references) {
  for (const ClusterRange& range : spoken_of(references)) {
    if (!emit({done_, range.begin}, {})) return false;
    for (std::uint64_t cluster = range.begin; cluster < range.end; ++cluster)
      if (!emit({cluster, cluster + 1}, look_at(references, cluster))) return false;
    done_ = range.end;
  }
  return true;
}

// The clusters of the window that any of the sources speaks of, as disjoint ranges in order.
std::vector<ClusterRange> ClusterMapper::spoken_of(const References& references) const {
  std::vector<ClusterRange> all = fixed_;
  references.for_each_chunk([&](std::uint64_t chunk, const References::Chunk&) {
    all.push_back({chunk * kChunkClusters, (chunk + 1) * kChunkClusters});
  });
  std::ranges::sort(all, {}, &ClusterRange::begin);
  const std::uint64_t begin = references.window_begin() * kChunkClusters;
  const std::uint64_t end =
      std::min(references.window_end() * kChunkClusters, context_.geometry.file_clusters);
  std::vector<ClusterRange> joined;
  for (ClusterRange range : all) {
    range = {std::max(range.begin, begin), std::min(range.end, end)};
    if (range.begin >= range.end) continue;
    if (joined.empty() || range.begin > joined.back().end) {
      joined.push_back(range);
    } else {
      joined.back().end = std::max(joined.back().end, range.end);
    }
  }
  return joined;
}

// Clusters are asked for in ascending order.
ClusterExtent ClusterMapper::look_at(const References& references, std::uint64_t cluster) {
  const References::Chunk* chunk = references.find_chunk(chunk_of(cluster));
  const std::uint64_t word = word_of(cluster);
  const std::uint64_t bit = bit_of(cluster);
  const bool contested = chunk != nullptr && (chunk->contested(word) & bit) != 0;
  ClusterExtent what{.state = contested ? ClusterState::contested : ClusterState::used};
  while (next_metadata_ < metadata_.size() && metadata_[next_metadata_].clusters.end <= cluster)
    ++next_metadata_;
  if (next_metadata_ < metadata_.size() && metadata_[next_metadata_].clusters.begin <= cluster) {
    what.structure = metadata_[next_metadata_].structure;
    what.owner = metadata_[next_metadata_].owner;
    return what;
  }
  if (chunk != nullptr && chunk->references(cluster % kChunkClusters) != 0) {
    const bool compressed = (chunk->bits(Claim::compressed, word) & bit) != 0;
    what.structure = compressed ? Structure::compressed_data : Structure::data;
    return what;
  }
  return {.state = stored_.of(cluster) != 0 ? ClusterState::leaked : ClusterState::free};
}

bool ClusterMapper::emit(ClusterRange clusters, ClusterExtent what) {
  if (clusters.begin >= clusters.end) return true;
  const Geometry& geometry = context_.geometry;
  const std::uint64_t end =
      clusters.end >= geometry.file_clusters ? geometry.file_bytes : clusters.end << geometry.cluster_bits;
  what.offset = pending_.offset;
  what.length = pending_.length;
  if (pending_.length == 0 || what != pending_) {
    if (!flush()) return false;
    what.offset = clusters.begin << geometry.cluster_bits;
    pending_ = what;
  }
  pending_.length = end - pending_.offset;
  return true;
}

bool ClusterMapper::flush() {
  const ClusterExtent extent = std::exchange(pending_, {});
  return extent.length == 0 || sink_(extent);
}

}  // namespace

std::string_view to_string(ClusterState state) {
  switch (state) {
    case ClusterState::used:
      return "used";
    case ClusterState::contested:
      return "contested";
    case ClusterState::leaked:
      return "leaked";
    case ClusterState::free:
      return "free";
  }
  return "";
}

std::string describe_use(const ClusterExtent& extent) {
  if (extent.state == ClusterState::used) return std::string(to_string(extent.structure));
  if (extent.state == ClusterState::contested)
    return fmt::format("contested {}", to_string(extent.structure));
  return std::string(to_string(extent.state));
}

bool map_clusters(Context& context, const ClusterSink& sink) {
  return ClusterMapper(context, sink).run();
}

}  // namespace cowvet
