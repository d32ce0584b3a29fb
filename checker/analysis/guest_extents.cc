#include "checker/analysis/guest_extents.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace cowvet {
namespace {

// Tables are read in pieces of this size: memory does not follow the cluster size or what l1_size claims.
constexpr std::uint64_t kPieceBytes = 64 << 10;
constexpr std::uint64_t kL1EntryBytes = 8;

// Where the `count`-th unit from `begin` on ends (the first one may be entered in its middle), at most `end`.
std::uint64_t advance(std::uint64_t begin, std::uint64_t end, std::uint64_t unit, std::uint64_t count = 1) {
  const std::uint64_t first = std::min(unit - begin % unit, end - begin);
  const std::uint64_t rest = end - begin - first;
  return count - 1 > rest / unit ? end : begin + first + (count - 1) * unit;
}

}  // namespace

DiskState active_disk(const Context& context) {
  return {.l1_offset = context.header.l1_table_offset,
          .l1_entries = context.header.l1_size,
          .disk_bytes = context.header.size,
          .l1_usable = context.l1_usable};
}

DiskState snapshot_disk(const Context& context, const SnapshotRecord& record) {
  return {.l1_offset = record.snapshot.l1_table_offset,
          .l1_entries = record.snapshot.l1_size,
          .disk_bytes = record.snapshot.disk_size(context.header.size),
          .l1_usable = record.l1_usable,
          .owner = record.owner()};
}

ExtentWalker::ExtentWalker(const Context& context, DiskState disk, std::uint64_t max_repeats)
    : context_(context), disk_(std::move(disk)), repeats_left_(max_repeats) {}

bool ExtentWalker::walk(GuestRange range, const ExtentSink& sink) {
  sink_ = &sink;
  pending_ = {};
  std::uint64_t begin = std::min(range.offset, disk_.disk_bytes);
  const std::uint64_t end = begin + std::min(range.length, disk_.disk_bytes - begin);
  if (!disk_.l1_usable) return emit(begin, end, ExtentKind::invalid, {}) && flush();
  const std::uint64_t window = context_.geometry.l2_window_bytes;
  const std::uint64_t l1_end = disk_.l1_offset + disk_.l1_entries * kL1EntryBytes;
  while (begin < end) {
    const std::uint64_t l1_index = begin / window;
    if (l1_index >= disk_.l1_entries) {
      if (!emit(begin, end, ExtentKind::invalid, {})) return false;
      break;
    }
    // Holes of the L1 table are entries of 0: nothing is mapped there.
    const std::uint64_t entry_at = disk_.l1_offset + l1_index * kL1EntryBytes;
    const std::uint64_t empty = (end_of_hole(entry_at, l1_end) - entry_at) / kL1EntryBytes;
    const std::uint64_t next = advance(begin, end, window, std::max<std::uint64_t>(empty, 1));
    if (!(empty != 0 ? emit(begin, next, ExtentKind::unallocated, {}) : walk_window(begin, next)))
      return false;
    begin = next;
  }
  return flush();
}

bool ExtentWalker::walk_window(std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t l1_index = begin / context_.geometry.l2_window_bytes;
  const auto bytes = load(l1_, disk_.l1_offset + l1_index * kL1EntryBytes,
                          disk_.l1_offset + disk_.l1_entries * kL1EntryBytes);
  if (bytes.empty()) return emit(begin, end, ExtentKind::unreadable, {});
  const std::uint64_t l2_offset = L1Entry{load_big_endian<std::uint64_t>(bytes.data())}.l2_offset();
  if (l2_offset == 0) return emit(begin, end, ExtentKind::unallocated, {});
  if (!context_.aligned(l2_offset) || !context_.clusters_in_file(l2_offset, context_.geometry.cluster_bytes))
    return emit(begin, end, ExtentKind::invalid, {});
  return walk_table(l2_offset, begin, end);
}

bool ExtentWalker::walk_table(std::uint64_t l2_offset, std::uint64_t begin, std::uint64_t end) {
  const Geometry& geometry = context_.geometry;
  const std::uint64_t table_end = l2_offset + geometry.cluster_bytes;
  bool counted = false;
  while (begin < end) {
    const std::uint64_t l2_index = begin / geometry.cluster_bytes % geometry.l2_entries;
    const std::uint64_t entry_at = l2_offset + l2_index * geometry.l2_entry_bytes;
    const std::uint64_t empty = (end_of_hole(entry_at, table_end) - entry_at) / geometry.l2_entry_bytes;
    std::uint64_t next = advance(begin, end, geometry.cluster_bytes, std::max<std::uint64_t>(empty, 1));
    if (empty != 0) {
      if (!emit(begin, next, ExtentKind::unallocated, {})) return false;
      begin = next;
      continue;
    }
    if (!std::exchange(counted, true) && too_often(l2_offset, begin / geometry.l2_window_bytes))
      return emit(begin, end, ExtentKind::invalid, {});
    const auto entries = load(l2_, entry_at, table_end);
    const std::uint64_t there =
        entries.empty() ? std::min(kPieceBytes, table_end - entry_at) : entries.size();
    next = advance(begin, end, geometry.cluster_bytes, there / geometry.l2_entry_bytes);
    if (!(entries.empty() ? emit(begin, next, ExtentKind::unreadable, {})
                          : walk_entries(entries, begin, next)))
      return false;
    begin = next;
  }
  return true;
}

bool ExtentWalker::walk_entries(std::span<const std::byte> entries, std::uint64_t begin, std::uint64_t end) {
  const Geometry& geometry = context_.geometry;
  const bool extended = geometry.l2_entry_bytes == 16;
  for (const std::byte* at = entries.data(); begin < end; at += geometry.l2_entry_bytes) {
    const L2Entry entry{load_big_endian<std::uint64_t>(at)};
    const SubclusterBitmap bitmap{extended ? load_big_endian<std::uint64_t>(at + 8) : 0};
    const std::uint64_t inside = begin % geometry.cluster_bytes;
    const std::uint64_t next = advance(begin, end, geometry.cluster_bytes);
    const ClusterView view = view_cluster(context_, entry, bitmap, begin - inside);
    const auto host = view.host_offset ? std::optional(*view.host_offset + inside) : std::nullopt;
    if (!(view.mixed ? walk_subclusters(view, begin, next) : emit(begin, next, view.kind, host)))
      return false;
    begin = next;
  }
  return true;
}

bool ExtentWalker::walk_subclusters(const ClusterView& view, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t subcluster_bytes = context_.geometry.cluster_bytes / SubclusterBitmap::kSubclusters;
  while (begin < end) {
    const std::uint64_t inside = begin % context_.geometry.cluster_bytes;
    const std::uint64_t next = advance(begin, end, subcluster_bytes);
    const auto host = view.host_offset ? std::optional(*view.host_offset + inside) : std::nullopt;
    if (!emit(begin, next, view.kind_of(static_cast<unsigned>(inside / subcluster_bytes)), host))
      return false;
    begin = next;
  }
  return true;
}

bool ExtentWalker::emit(std::uint64_t begin, std::uint64_t end, ExtentKind kind,
                        std::optional<std::uint64_t> host_offset) {
  if (begin == end) return true;
  if (kind != ExtentKind::data && kind != ExtentKind::zero_allocated) host_offset.reset();
  GuestExtent& last = pending_;
  const bool alike = last.guest.length != 0 && last.kind == kind &&
                     last.host_offset.has_value() == host_offset.has_value() &&
                     (!host_offset || *last.host_offset + last.guest.length == *host_offset);
  if (alike) {
    last.guest.length += end - begin;
    return true;
  }
  if (!flush()) return false;
  pending_ = {.guest = {begin, end - begin}, .kind = kind, .host_offset = host_offset};
  return true;
}

bool ExtentWalker::flush() {
  const GuestExtent extent = std::exchange(pending_, {});
  return extent.guest.length == 0 || (*sink_)(extent);
}

std::span<const std::byte> ExtentWalker::load(Piece& piece, std::uint64_t offset, std::uint64_t end) {
  assert(offset < end);
  if (offset < piece.offset || offset >= piece.offset + piece.bytes.size()) {
    piece.offset = offset;
    piece.bytes.resize(std::min(kPieceBytes, end - offset));
    if (!context_.image.read(offset, piece.bytes)) {
      piece.bytes.clear();
      return {};
    }
  }
  const auto there = std::span<const std::byte>(piece.bytes).subspan(offset - piece.offset);
  return there.first(std::min<std::uint64_t>(there.size(), end - offset));
}

// The first byte in [offset, end] that may be other than zero, or `end`.
std::uint64_t ExtentWalker::end_of_hole(std::uint64_t offset, std::uint64_t end) const {
  const DataExtent data = context_.image.next_data(offset);
  // Past the end of the file everything reads as zeros, and the answer is the file's size.
  return data.begin == data.end ? end : std::clamp(data.begin, offset, end);
}

bool ExtentWalker::too_often(std::uint64_t l2_offset, std::uint64_t l1_index) {
  if (repeats_left_ == kUnlimited) return false;
  if (tables_seen_.try_emplace(l2_offset, l1_index).first->second == l1_index) return false;
  if (repeats_left_ == 0) return true;
  --repeats_left_;
  return false;
}

}  // namespace cowvet
