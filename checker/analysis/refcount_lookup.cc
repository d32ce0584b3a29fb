#include "checker/analysis/refcount_lookup.h"

#include <algorithm>

#include "checker/format/entries.h"
#include "checker/format/refcount_block.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMostBytes = 16 << 20;

}  // namespace

std::uint64_t look_up_refcount(const Context& context, std::uint64_t cluster_index) {
  const Geometry& geometry = context.geometry;
  if (!context.refcount_table_usable) return 0;
  const std::uint64_t per_block = refcounts_per_block(geometry.cluster_bits, geometry.refcount_order);
  const std::uint64_t table_index = cluster_index / per_block;
  const std::uint64_t table_entries = context.header.refcount_table_clusters * geometry.cluster_bytes / 8;
  if (table_index >= table_entries) return 0;

  std::byte bytes[8];
  if (!context.image.read(context.header.refcount_table_offset + table_index * 8, bytes)) return 0;
  const RefcountTableEntry entry{load_big_endian<std::uint64_t>(bytes)};
  const std::uint64_t block = entry.block_offset();
  if (block == 0 || !context.aligned(block) || !context.clusters_in_file(block, geometry.cluster_bytes))
    return 0;

  // The eight bytes that hold the refcount: a whole number of refcounts of any width.
  const std::uint64_t per_word = 64 >> geometry.refcount_order;
  const std::uint64_t in_block = cluster_index % per_block;
  if (!context.image.read(block + in_block / per_word * 8, bytes)) return 0;
  return get_refcount(bytes, geometry.refcount_order, in_block % per_word);
}

bool allocated_past_end(const Context& context, std::uint64_t offset, std::uint64_t length) {
  const Geometry& geometry = context.geometry;
  if (length == 0 || length > kMostBytes || offset > ~std::uint64_t{0} - length) return false;
  const std::uint64_t first = std::max(offset >> geometry.cluster_bits, geometry.file_clusters);
  const std::uint64_t last = (offset + length - 1) >> geometry.cluster_bits;
  for (std::uint64_t cluster = first; cluster <= last; ++cluster)
    if (look_up_refcount(context, cluster) == 0) return false;
  return true;
}

}  // namespace cowvet
