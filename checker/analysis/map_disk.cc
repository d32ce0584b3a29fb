#include "checker/analysis/map_disk.h"

#include <algorithm>
#include <utility>

namespace cowvet {
namespace {

// No sound L1 table names a table twice. A few repetitions are shown as the guest would see them.
constexpr std::uint64_t kMaxRepeats = 1024;

}  // namespace

void DiskMap::add_qcow2(const Context& context, DiskState disk, std::string data_file) {
  const std::uint64_t disk_bytes = disk.disk_bytes;
  layers_.push_back({.file = std::move(data_file),
                     .disk_bytes = disk_bytes,
                     .walker = std::make_unique<ExtentWalker>(context, std::move(disk), kMaxRepeats)});
}

void DiskMap::add_raw(const Device& device, std::string name) {
  layers_.push_back({.file = std::move(name), .disk_bytes = device.size_bytes(), .raw = &device});
}

bool DiskMap::map(const MapSink& sink) {
  sink_ = &sink;
  pending_ = {};
  return layers_.empty() || (map_layer(0, {0, layers_.front().disk_bytes}) && flush());
}

// `range` lies inside the layer's disk.
bool DiskMap::map_layer(unsigned depth, GuestRange range) {
  const Layer& layer = layers_[depth];
  if (!layer.walker) return map_raw(depth, range);
  return layer.walker->walk(range, [&](const GuestExtent& extent) {
    if (extent.kind == ExtentKind::unallocated) return map_unallocated(depth, extent.guest);
    const bool zero = extent.kind == ExtentKind::zero || extent.kind == ExtentKind::zero_allocated;
    return emit({.guest = extent.guest,
                 .depth = depth,
                 .kind = extent.kind,
                 .present = true,
                 .zero = zero,
                 .data = extent.kind == ExtentKind::data || extent.kind == ExtentKind::compressed,
                 .host_offset = extent.host_offset,
                 .file = &layer.file});
  });
}

// A raw file has its data where the guest has it, and zeros in its holes.
bool DiskMap::map_raw(unsigned depth, GuestRange range) {
  const Layer& layer = layers_[depth];
  const std::uint64_t end = range.offset + range.length;
  for (std::uint64_t at = range.offset; at < end;) {
    const DataExtent data = layer.raw->next_data(at);
    const bool hole = data.begin > at || data.begin == data.end;
    const std::uint64_t next =
        hole && data.begin == data.end ? end : std::min(hole ? data.begin : data.end, end);
    if (!emit({.guest = {at, next - at},
               .depth = depth,
               .kind = hole ? ExtentKind::zero : ExtentKind::data,
               .present = true,
               .zero = hole,
               .data = !hole,
               .host_offset = at,
               .file = &layer.file}))
      return false;
    at = next;
  }
  return true;
}

// The layer below decides as far as it reaches; behind its end, or without one, there are zeros.
bool DiskMap::map_unallocated(unsigned depth, GuestRange range) {
  const bool last = depth + 1 == layers_.size();
  const std::uint64_t below_bytes = last ? 0 : layers_[depth + 1].disk_bytes;
  const std::uint64_t below_end = std::clamp(below_bytes, range.offset, range.offset + range.length);
  const GuestRange below{range.offset, below_end - range.offset};
  const GuestRange rest{below_end, range.length - below.length};
  if (below.length != 0 && !map_layer(depth + 1, below)) return false;
  return rest.length == 0 || emit({.guest = rest, .depth = depth, .zero = !(last && backing_unknown_)});
}

bool DiskMap::emit(const MapExtent& extent) {
  MapExtent next = extent;
  if (!next.host_offset) next.file = nullptr;
  any_invalid_ = any_invalid_ || next.kind == ExtentKind::invalid;
  any_unreadable_ = any_unreadable_ || next.kind == ExtentKind::unreadable;
  if (pending_.guest.length != 0) {
    MapExtent expected = pending_;
    expected.guest = next.guest;
    if (expected.host_offset) *expected.host_offset += pending_.guest.length;
    if (expected == next) {
      pending_.guest.length += next.guest.length;
      return true;
    }
  }
  if (!flush()) return false;
  pending_ = next;
  return true;
}

bool DiskMap::flush() {
  const MapExtent extent = std::exchange(pending_, {});
  return extent.guest.length == 0 || (*sink_)(extent);
}

}  // namespace cowvet
