// What the guest sees of a disk, in guest order: runs of clusters (subclusters, with extended L2 entries)
// that are alike and, where they have a place in a host file, contiguous there too.
//
// Works on damaged images: what no reader could follow is an extent of kind `invalid`, what the device cannot
// read is `unreadable`, and the walk goes on behind it. Nothing is reported from here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "checker/analysis/cluster_view.h"
#include "checker/analysis/context.h"

namespace cowvet {

struct GuestExtent {
  GuestRange guest;
  ExtentKind kind = ExtentKind::unallocated;
  // Where `guest` begins in the image file or external data file: data and zero_allocated only.
  std::optional<std::uint64_t> host_offset;

  bool operator==(const GuestExtent&) const = default;
};

// One L1 table and the disk that it maps.
struct DiskState {
  std::uint64_t l1_offset = 0;
  std::uint64_t l1_entries = 0;
  std::uint64_t disk_bytes = 0;
  bool l1_usable = false;
  std::string owner;  // as Place::owner
};

DiskState active_disk(const Context& context);
DiskState snapshot_disk(const Context& context, const SnapshotRecord& record);

// False stops the walk.
using ExtentSink = std::function<bool(const GuestExtent&)>;

// Walks one disk state. Keeps one piece of the L1 table and of an L2 table, so that neighbouring walks do not
// read twice: one object a thread, walks in ascending order.
class ExtentWalker {
 public:
  // A damaged L1 table may name one L2 table a million times and so make a small image describe a huge disk.
  // Where more than `max_repeats` entries name tables seen before, the rest of these read as invalid.
  static constexpr std::uint64_t kUnlimited = ~std::uint64_t{0};
  ExtentWalker(const Context& context, DiskState disk, std::uint64_t max_repeats = kUnlimited);

  // Hands out the extents of `range`, cut to the disk. Neighbours are merged within one call. False: the sink
  // stopped it.
  bool walk(GuestRange range, const ExtentSink& sink);

  const DiskState& disk() const { return disk_; }

 private:
  struct Piece {  // of a table, as read
    std::uint64_t offset = 0;
    std::vector<std::byte> bytes;
  };

  bool walk_window(std::uint64_t begin, std::uint64_t end);
  bool walk_table(std::uint64_t l2_offset, std::uint64_t begin, std::uint64_t end);
  bool walk_entries(std::span<const std::byte> entries, std::uint64_t begin, std::uint64_t end);
  bool walk_subclusters(const ClusterView& view, std::uint64_t begin, std::uint64_t end);
  bool emit(std::uint64_t begin, std::uint64_t end, ExtentKind kind,
            std::optional<std::uint64_t> host_offset);
  bool flush();

  // The bytes of a table from `offset` on: at least one entry, at most up to `end`. Empty: cannot be read.
  std::span<const std::byte> load(Piece& piece, std::uint64_t offset, std::uint64_t end);
  std::uint64_t end_of_hole(std::uint64_t offset, std::uint64_t end) const;
  bool too_often(std::uint64_t l2_offset, std::uint64_t l1_index);

  const Context& context_;
  DiskState disk_;
  Piece l1_;
  Piece l2_;
  GuestExtent pending_;
  const ExtentSink* sink_ = nullptr;
  std::uint64_t repeats_left_;
  // By offset, the L1 entry that named the table first; kept only where there is a limit.
  std::unordered_map<std::uint64_t, std::uint64_t> tables_seen_;
};

}  // namespace cowvet
