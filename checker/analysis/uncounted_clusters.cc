#include "checker/analysis/uncounted_clusters.h"

#include <algorithm>
#include <span>

#include "checker/analysis/bytes.h"
#include "checker/device/read_fully.h"

namespace cowvet {
namespace {

class Uncounted {
 public:
  Uncounted(const Context& context, const References& references, const RefcountTable& refcounts,
            const Offenders& offenders, ClusterSet& uncounted)
      : context_(context),
        geometry_(context.geometry),
        references_(references),
        refcounts_(refcounts),
        offenders_(offenders),
        uncounted_(uncounted) {}

  void collect() {
    const std::uint64_t per_block = refcounts_.clusters_per_block;
    for (std::uint64_t at = references_.window_begin() * kChunkClusters; at < end();) {
      const DataExtent data = context_.image.next_data(at << geometry_.cluster_bits);
      at = std::max(at, data.begin >> geometry_.cluster_bits);
      const std::uint64_t data_end = std::min(end(), divide_up(data.end, geometry_.cluster_bytes));
      while (at < data_end) {
        const std::uint64_t next = std::min(data_end, (at / per_block + 1) * per_block);
        const RefcountBlock* block = refcounts_.block_of(at);
        if (!block || !block->believed) add_unreferenced(at, next);
        at = next;
      }
      if (data.begin >= geometry_.file_bytes) break;
    }
    collect_wiped();
  }

 private:
  std::uint64_t end() const {
    return std::min(geometry_.file_clusters, references_.window_end() * kChunkClusters);
  }
  void add_unreferenced(std::uint64_t first, std::uint64_t behind) {
    for (std::uint64_t cluster = first; cluster < behind;) {
      const References::Chunk* chunk = references_.find_chunk(chunk_of(cluster));
      const std::uint64_t next = std::min(behind, (chunk_of(cluster) + 1) * kChunkClusters);
      if (!chunk)
        uncounted_.add(cluster, next - cluster);
      else if (!chunk->all_once(0, kChunkWords))
        for (std::uint64_t at = cluster; at < next; ++at)
          if (chunk->references(at % kChunkClusters) == 0) uncounted_.add(at);
      cluster = next;
    }
  }
  // Sectors of believed blocks.
  void collect_wiped() {
    const std::uint64_t per_sector = kSectorBytes * 8 >> geometry_.refcount_order;
    std::vector<std::byte> bytes(kSectorBytes);
    std::uint64_t done = 0;  // clusters before it were looked at
    for (const MismatchRun& run : offenders_.runs[static_cast<unsigned>(Mismatch::too_low)]) {
      if (run.stored != 0) continue;
      for (std::uint64_t at = std::max(done, run.first / per_sector * per_sector);
           at < run.first + run.count && at < end(); at += per_sector) {
        done = at + per_sector;
        const RefcountBlock* block = refcounts_.block_of(at);
        if (!references_.in_window(at) || !block || !block->believed) continue;
        const std::uint64_t sector = at % refcounts_.clusters_per_block / per_sector;
        if (context_.image.read(block->offset + sector * kSectorBytes, bytes) &&
            leading_zeros(bytes) == bytes.size())
          add_unreferenced(at, std::min(end(), at + per_sector));
      }
    }
  }

  const Context& context_;
  const Geometry& geometry_;
  const References& references_;
  const RefcountTable& refcounts_;
  const Offenders& offenders_;
  ClusterSet& uncounted_;
};

}  // namespace

bool has_lost_counts(const Context& context, const RefcountTable& refcounts, const Offenders& offenders) {
  if (!context.refcount_table_usable) return true;
  if (!refcounts.complete) return false;  // could not be read: it may be sound
  const auto& too_low = offenders.runs[static_cast<unsigned>(Mismatch::too_low)];
  return std::ranges::any_of(too_low, [](const MismatchRun& run) { return run.stored == 0; }) ||
         !std::ranges::all_of(refcounts.blocks, &RefcountBlock::believed);
}

void collect_uncounted(const Context& context, const References& references, const RefcountTable& refcounts,
                       const Offenders& offenders, ClusterSet& uncounted) {
  Uncounted(context, references, refcounts, offenders, uncounted).collect();
}

}  // namespace cowvet
