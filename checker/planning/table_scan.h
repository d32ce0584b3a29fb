// Tables of an image whose header says nothing: recognised by their content alone.
#pragma once

#include <cstdint>
#include <vector>

#include "checker/device/device.h"
#include "checker/format/snapshot.h"
#include "checker/planning/refcount_table_scan.h"

namespace cowvet {

// What L2 entries look like.
struct EntryShape {
  bool extended = false;   // 128 bits
  bool data_file = false;  // they name clusters of another file, at the guest's own offsets
};

struct ScannedL1 {
  std::uint64_t offset = 0;    // bytes
  std::uint64_t clusters = 1;  // that it has, if it is this one
  std::uint64_t room = 1;      // the same and empty clusters behind them
  std::uint64_t used_entries = 0;
  std::uint64_t tables = 0;  // L2 tables that it names
};

struct ScannedSnapshots {
  std::uint64_t offset = 0;
  std::vector<Snapshot> snapshots;
};

struct ScannedTables {
  std::vector<ScannedL1> l1;  // those that name most first; parts of longer ones are among them
  std::vector<ScannedSnapshots> snapshots;
  bool any_compressed = false;
};

// Among the clusters that are counted. Nothing where no entry says that it has this shape.
ScannedTables scan_tables(const Device& image, const ScannedRefcounts& refcounts, EntryShape shape);

}  // namespace cowvet
