#include "checker/planning/allocator.h"

#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/format/refcount_block.h"

namespace cowvet {

std::uint64_t Allocator::stored_refcount(std::uint64_t cluster) {
  const RefcountBlock* block = context_.refcounts->block_of(cluster);
  if (!block) return 0;
  if (!block->believed) return 1;  // nobody knows
  if (block_offset_ != block->offset) {
    block_.resize(context_.geometry.cluster_bytes);
    if (!editor_.image().read(block->offset, block_)) return 1;
    block_offset_ = block->offset;
  }
  return get_refcount(block_, context_.geometry.refcount_order,
                      cluster % context_.refcounts->clusters_per_block);
}

bool Allocator::is_free(std::uint64_t cluster) {
  return context_.references->references(cluster) == 0 && stored_refcount(cluster) == 0;
}

std::optional<std::uint64_t> Allocator::allocate(std::uint64_t count) {
  const unsigned bits = context_.geometry.cluster_bits;
  const std::uint64_t file_clusters =
      divide_up(editor_.image().size_bytes(), context_.geometry.cluster_bytes);
  // Without refcounts, or with references that nobody could read, a cluster that looks free may be in use.
  const bool may_grow = !editor_.image().is_block_device();
  const bool free_is_known = context_.refcounts->complete && context_.unknown_references.empty();
  if (free_is_known || (!may_grow && context_.unknown_references.empty())) {
    std::uint64_t run = 0;
    for (std::uint64_t cluster = next_; cluster < context_.geometry.file_clusters; ++cluster) {
      run = is_free(cluster) ? run + 1 : 0;
      if (run < count) continue;
      next_ = cluster + 1;  // what a long request passed over stays unused: there is more
      return (next_ - count) << bits;
    }
    if (count == 1) next_ = context_.geometry.file_clusters;
  }
  if (!may_grow) return std::nullopt;
  editor_.grow(File::image, (file_clusters + count) << bits);
  return file_clusters << bits;
}

}  // namespace cowvet
