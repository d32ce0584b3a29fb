// What one L2 entry means to a guest that reads its cluster (specification, "Cluster mapping", "Extended L2
// Entries"), judged by itself: no other table is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "checker/analysis/context.h"
#include "checker/format/entries.h"

namespace cowvet {

enum class ExtentKind : std::uint8_t {
  unallocated,     // the backing file shows through; zeros without one
  zero,            // reads as zeros, no host cluster
  zero_allocated,  // reads as zeros, a host cluster is kept for it
  data,
  compressed,
  invalid,     // damaged metadata: a read fails
  unreadable,  // an L1 or L2 table could not be read
};

std::string_view to_string(ExtentKind kind);  // "unallocated", "zero", "zero-allocated", ...

struct ClusterView {
  ExtentKind kind = ExtentKind::unallocated;  // of the whole cluster, unless its subclusters differ
  bool mixed = false;                         // they do: see kind_of
  std::optional<std::uint64_t> host_offset;   // of the cluster; standard entries that may be followed
  SubclusterBitmap bitmap;                    // mixed only

  ExtentKind kind_of(unsigned subcluster) const;
};

// `bitmap` is looked at only with extended L2 entries; `guest_offset` is that of the cluster, in bytes.
ClusterView view_cluster(const Context& context, L2Entry entry, SubclusterBitmap bitmap,
                         std::uint64_t guest_offset);

}  // namespace cowvet
