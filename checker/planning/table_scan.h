// Tables of an image whose header says nothing: recognised by their content alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "checker/device/device.h"
#include "checker/format/snapshot.h"

namespace cowvet {

// A refcount table whose blocks count the header, the table and themselves once each, and nothing behind the
// end of the file: with other cluster sizes or refcount widths that is as good as impossible.
struct ScannedRefcounts {
  unsigned cluster_bits = 16;
  unsigned refcount_order = 4;
  std::uint64_t offset = 0;           // bytes
  std::vector<std::uint64_t> blocks;  // entries of the table's first cluster

  std::uint64_t cluster_bytes() const { return std::uint64_t{1} << cluster_bits; }
};

// `cluster_bits` and `refcount_order`: where they are known. Reads the file once.
std::vector<ScannedRefcounts> scan_refcount_tables(const Device& image, std::optional<unsigned> cluster_bits,
                                                   std::optional<unsigned> refcount_order);

struct ScannedL1 {
  std::uint64_t offset = 0;    // bytes
  std::uint64_t clusters = 1;  // that it may have
  std::uint64_t used_entries = 0;
};

struct ScannedSnapshots {
  std::uint64_t offset = 0;
  std::vector<Snapshot> snapshots;
};

struct ScannedTables {
  std::vector<ScannedL1> l1;  // every cluster of a longer one may be here, and so may be shorter readings
  std::vector<ScannedSnapshots> snapshots;
  bool any_compressed = false;
};

// Among the clusters that are counted. `extended_l2`: L2 entries have 128 bits. `data_file`: they name
// clusters of another file.
ScannedTables scan_tables(const Device& image, const ScannedRefcounts& refcounts, bool extended_l2,
                          bool data_file);

}  // namespace cowvet
