#include "checker/planning/allocator.h"

#include "checker/analysis/bytes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/device/read_fully.h"
#include "checker/format/refcount_block.h"

namespace cowvet {

bool Allocator::load_block(const RefcountBlock& block) {
  if (block_offset_ == block.offset) return true;
  block_offset_ = 0;
  block_.resize(context_.geometry.cluster_bytes);
  if (!editor_.image().read(block.offset, block_)) return false;
  block_offset_ = block.offset;
  return true;
}

std::optional<std::uint64_t> Allocator::stored_refcount(std::uint64_t cluster) {
  const RefcountBlock* block = context_.refcounts->block_of(cluster);
  if (!block) return std::nullopt;
  if (!block->believed || !load_block(*block)) return 1;  // nobody knows
  const unsigned order = context_.geometry.refcount_order;
  const std::uint64_t index = cluster % context_.refcounts->clusters_per_block;
  const std::uint64_t stored = get_refcount(block_, order, index);
  // A sector of zeros, where clusters in use are not counted, may have been wiped.
  if (stored == 0 && context_.findings.added(rule("refcount/too-low")) != 0) {
    const std::span sector =
        std::span(block_).subspan((index << order) / 8 / kSectorBytes * kSectorBytes, kSectorBytes);
    if (leading_zeros(sector) == sector.size()) return std::nullopt;
  }
  return stored;
}

bool Allocator::reads_as_zeros(std::uint64_t cluster) {
  content_.resize(context_.geometry.cluster_bytes);
  return editor_.image().read(cluster << context_.geometry.cluster_bits, content_) &&
         leading_zeros(content_) == content_.size();
}

bool Allocator::is_free(std::uint64_t cluster) {
  if (context_.references->references(cluster) != 0 || given_.contains(cluster)) return false;
  const std::optional<std::uint64_t> stored = stored_refcount(cluster);
  if (stored.value_or(0) != 0) return false;
  const bool may_have_content = stored ? !spares_content_ : takes_content_;
  return may_have_content || reads_as_zeros(cluster);
}

std::optional<std::uint64_t> Allocator::find_free(std::uint64_t count) {
  std::uint64_t run = 0;
  // Behind the last whole cluster of a block device there is no room for another one.
  const std::uint64_t clusters = editor_.image().is_block_device()
                                     ? editor_.image().size_bytes() >> context_.geometry.cluster_bits
                                     : context_.geometry.file_clusters;
  for (std::uint64_t cluster = next_; cluster < clusters; ++cluster) {
    // Most of a full image, at once.
    if (cluster % kChunkClusters == 0) {
      const References::Chunk* chunk = context_.references->find_chunk(chunk_of(cluster));
      if (chunk && chunk->all_once(0, kChunkWords)) {
        cluster += kChunkClusters - 1;
        run = 0;
        continue;
      }
    }
    run = is_free(cluster) ? run + 1 : 0;
    if (run < count) continue;
    next_ = cluster + 1;  // what a long request passed over stays unused: there is more
    given_.add(next_ - count, count);
    return (next_ - count) << context_.geometry.cluster_bits;
  }
  if (count == 1) next_ = clusters;
  return std::nullopt;
}

// Whether later rounds can give the clusters refcounts: in blocks that can be read, or in new ones.
bool Allocator::can_be_counted(std::uint64_t first, std::uint64_t count) {
  const RefcountTable& table = *context_.refcounts;
  // Refcounts that cannot be used are counted anew only where nothing is unknown.
  const bool may_count_anew = context_.findings.total(Severity::unchecked) == 0;
  if (!table.complete) return may_count_anew;
  const std::uint64_t per_block = table.clusters_per_block;
  for (std::uint64_t index = first / per_block; index <= (first + count - 1) / per_block; ++index) {
    const RefcountBlock* block = table.block_of(index * per_block);
    if (block && !(block->believed ? load_block(*block) : may_count_anew)) return false;
  }
  return true;
}

std::optional<std::uint64_t> Allocator::allocate(std::uint64_t count) {
  // Without refcounts, or with references that nobody could read, a cluster that looks free may be in use.
  const bool may_grow = !editor_.image().is_block_device();
  const bool free_is_known = context_.refcounts->complete && context_.unknown_references.empty();
  if (free_is_known || (!may_grow && context_.unknown_references.empty())) {
    if (const auto offset = find_free(count)) return offset;
    if (!may_grow && !takes_content_ && !spares_content_) {
      takes_content_ = true;
      next_ = 1;
      if (const auto offset = find_free(count)) return offset;
    }
  }
  if (!may_grow) return std::nullopt;
  const std::uint64_t file_clusters =
      divide_up(editor_.image().size_bytes(), context_.geometry.cluster_bytes);
  if (!can_be_counted(file_clusters, count)) return std::nullopt;
  editor_.grow(File::image, (file_clusters + count) << context_.geometry.cluster_bits);
  return file_clusters << context_.geometry.cluster_bits;
}

}  // namespace cowvet
