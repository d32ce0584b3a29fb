// What the builder laid out where: the symbol table behind the places of a recipe. Damage does not change it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checker/format/bitmap.h"
#include "checker/format/header.h"
#include "checker/format/snapshot.h"
#include "corpus/host_clusters.h"
#include "corpus/shape.h"

namespace cowvet::corpus {

// An L2 entry before it is encoded. COPIED follows from the references.
struct MappedCluster {
  enum class State : std::uint8_t { unallocated, allocated, compressed };
  State state = State::unallocated;
  std::uint64_t host_offset = 0;    // allocated
  CompressedDescriptor descriptor;  // compressed
  bool zero = false;                // the zero flag, without extended L2
  std::uint32_t subclusters_allocated = 0;
  std::uint32_t subclusters_zero = 0;
};

struct L2Table {
  std::uint64_t guest_offset = 0;                  // of the first cluster that it maps
  std::map<std::uint64_t, MappedCluster> entries;  // by index
};

struct ExtensionLayout {
  std::uint32_t type = 0;
  std::string data;
  std::uint64_t offset = 0;  // of its head
};

struct L1Layout {
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> l2_offsets;  // by index; 0: none
};

struct SnapshotLayout {
  Snapshot entry;
  std::uint64_t entry_offset = 0;
  L1Layout l1;
};

struct BitmapLayout {
  Bitmap entry;
  std::uint64_t entry_offset = 0;
  std::vector<std::uint64_t> table;  // entries
};

struct Layout {
  explicit Layout(const ImageOptions& image, std::uint64_t refcount_table_clusters)
      : shape(image), clusters(shape, refcount_table_clusters) {}

  Shape shape;
  Header header;
  std::vector<ExtensionLayout> extensions;  // with the end marker
  std::string backing_name;
  std::uint64_t backing_name_offset = 0;
  HostClusters clusters;
  L1Layout l1;
  std::map<std::uint64_t, L2Table> l2_tables;  // by host offset
  std::vector<SnapshotLayout> snapshots;
  std::uint64_t snapshot_table_offset = 0;
  std::vector<BitmapLayout> bitmaps;
  std::uint64_t bitmap_directory_offset = 0;
  std::uint64_t bitmap_directory_bytes = 0;
  std::uint64_t luks_offset = 0;
  std::uint64_t luks_bytes = 0;
  std::vector<std::uint64_t> leaks;

  const SnapshotLayout* find_snapshot(const std::string& id) const;
  const BitmapLayout* find_bitmap(const std::string& name) const;
  const ExtensionLayout* find_extension(std::uint32_t type) const;
  // The active L1 table for an empty id; nullptr where there is no such snapshot.
  const L1Layout* find_l1(const std::string& snapshot_id) const;
  std::uint64_t l2_offset(const L1Layout& l1, std::uint64_t guest) const;  // 0: none
  const MappedCluster* find_cluster(const L1Layout& l1, std::uint64_t guest) const;
};

}  // namespace cowvet::corpus
