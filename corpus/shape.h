// The sizes that follow from an image's options.
#pragma once

#include <algorithm>
#include <cstdint>

#include "checker/format/entries.h"
#include "checker/format/refcount_block.h"
#include "checker/format/units.h"
#include "corpus/recipe.h"

namespace cowvet::corpus {

struct Shape {
  explicit Shape(const ImageOptions& image)
      : cluster_bits(image.cluster_bits),
        cluster_bytes(std::uint64_t{1} << image.cluster_bits),
        extended_l2(image.extended_l2),
        l2_entry_bytes(image.extended_l2 ? 16 : 8),
        l2_entries(cluster_bytes / l2_entry_bytes),
        window_bytes(l2_entries * cluster_bytes),
        unit_bytes(image.extended_l2 ? cluster_bytes / SubclusterBitmap::kSubclusters : cluster_bytes),
        refcount_order(image.refcount_order),
        refcounts_in_block(refcounts_per_block(image.cluster_bits, image.refcount_order)) {}

  unsigned cluster_bits;
  std::uint64_t cluster_bytes;
  bool extended_l2;
  unsigned l2_entry_bytes;
  std::uint64_t l2_entries;    // in one L2 table
  std::uint64_t window_bytes;  // guest bytes that one L2 table maps
  std::uint64_t unit_bytes;    // what is allocated at once: a subcluster or a cluster
  unsigned refcount_order;
  std::uint64_t refcounts_in_block;

  std::uint64_t round_down(std::uint64_t bytes) const { return bytes & ~(cluster_bytes - 1); }
  std::uint64_t round_up(std::uint64_t bytes) const { return round_down(bytes + cluster_bytes - 1); }
  std::uint64_t clusters_for(std::uint64_t bytes) const { return divide_up(bytes, cluster_bytes); }
};

}  // namespace cowvet::corpus
