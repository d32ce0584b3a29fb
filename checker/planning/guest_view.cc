#include "checker/planning/guest_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "checker/analysis/areas.h"
#include "checker/analysis/bytes.h"
#include "checker/analysis/decode_cluster.h"
#include "checker/analysis/guest_extents.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"

namespace cowvet {
namespace {

bool is_broken(ExtentKind kind) {
  return kind == ExtentKind::invalid || kind == ExtentKind::unreadable;
}
bool is_zero(ExtentKind kind) {
  return kind == ExtentKind::zero || kind == ExtentKind::zero_allocated;
}

std::vector<GuestRange> merge(std::vector<GuestRange> ranges) {
  std::ranges::sort(ranges, {}, &GuestRange::offset);
  std::vector<GuestRange> merged;
  for (const GuestRange& range : ranges) {
    const std::uint64_t end = range.offset + range.length;
    if (merged.empty() || range.offset > merged.back().offset + merged.back().length)
      merged.push_back(range);
    else
      merged.back().length = std::max(merged.back().length, end - merged.back().offset);
  }
  return merged;
}

// What the steps name, by owner of the disk, as few ranges as possible, in order: two steps may share what
// changes as one.
std::map<std::string, std::vector<GuestRange>> announced_ranges(const std::vector<Step>& steps) {
  std::map<std::string, std::vector<GuestRange>> ranges;
  for (const Step& step : steps)
    for (const GuestImpact& impact : step.impact) ranges[impact.owner].push_back(impact.range);
  for (auto& [owner, of_owner] : ranges) of_owner = merge(std::move(of_owner));
  return ranges;
}

// Where the steps write to a file, in order.
std::vector<DataExtent> written_ranges(const std::vector<Step>& steps, File file) {
  std::vector<DataExtent> ranges;
  for (const Step& step : steps)
    for (const Write& write : step.writes)
      if (write.target == file) ranges.push_back({write.offset, write.offset + write.new_bytes.size()});
  std::ranges::sort(ranges, {}, &DataExtent::begin);
  std::vector<DataExtent> merged;
  for (const DataExtent& range : ranges) {
    if (merged.empty() || range.begin > merged.back().end)
      merged.push_back(range);
    else
      merged.back().end = std::max(merged.back().end, range.end);
  }
  return merged;
}

class ViewComparer {
 public:
  // Both as they are in `announced_ranges` and `written_ranges`; what outlives the comparer.
  ViewComparer(const Context& before, const Context& after, const std::vector<GuestRange>& announced,
               const std::vector<DataExtent>& written, std::string owner)
      : before_(before), after_(after), announced_(announced), written_(written), owner_(std::move(owner)) {}

  // Walks both in step, extent by extent.
  std::optional<std::string> compare(const DiskState& old_disk, const DiskState& new_disk) {
    old_disk_ = &old_disk;
    ExtentWalker new_walker(after_, new_disk);
    ExtentWalker old_walker(before_, old_disk);
    old_walker.walk({0, old_disk.disk_bytes}, [&](const GuestExtent& old_extent) {
      new_walker.walk(old_extent.guest, [&](const GuestExtent& new_extent) {
        compare_extents(cut(old_extent, new_extent.guest), new_extent);
        return !difference_;
      });
      return !difference_;
    });
    return difference_;
  }

 private:
  static GuestExtent cut(GuestExtent extent, GuestRange to) {
    if (extent.host_offset) *extent.host_offset += to.offset - extent.guest.offset;
    extent.guest = to;
    return extent;
  }

  // But for what was announced.
  void compare_extents(const GuestExtent& old_extent, const GuestExtent& new_extent) {
    const std::uint64_t end = old_extent.guest.offset + old_extent.guest.length;
    std::uint64_t at = old_extent.guest.offset;
    auto announced = std::ranges::upper_bound(announced_, at, {}, &GuestRange::offset);
    if (announced != announced_.begin()) --announced;
    while (at < end) {
      const std::uint64_t next = announced == announced_.end() ? end : std::min(end, announced->offset);
      if (at < next) compare_pieces(cut(old_extent, {at, next - at}), cut(new_extent, {at, next - at}));
      if (announced == announced_.end()) return;
      at = std::max({at, next, announced->offset + announced->length});
      ++announced;
    }
  }

  void compare_pieces(const GuestExtent& old_extent, const GuestExtent& new_extent) {
    if (difference_ || is_broken(old_extent.kind)) return;
    const bool same_place = old_extent.kind == new_extent.kind &&
                            old_extent.host_offset == new_extent.host_offset &&
                            before_.header.has_data_file() == after_.header.has_data_file();
    if (same_place && (old_extent.kind != ExtentKind::data || same_where_written(old_extent, new_extent)))
      return;
    if (reads_zeros(before_, old_extent.kind) && reads_zeros(after_, new_extent.kind)) return;
    if (!same_place && is_readable(old_extent.kind) && is_readable(new_extent.kind) &&
        same_content(old_extent, new_extent, 0, old_extent.guest.length))
      return;
    if (old_extent.kind == ExtentKind::compressed && is_readable(new_extent.kind) &&
        same_when_decoded(old_extent.guest, new_extent))
      return;
    difference_ =
        fmt::format("the guest would read something else at {:#x} ({} bytes{}{}): {} before, {} after",
                    old_extent.guest.offset, old_extent.guest.length, owner_.empty() ? "" : ", ", owner_,
                    to_string(old_extent.kind), to_string(new_extent.kind));
  }

  // Of data that stays where it is, only what is written to can change.
  bool same_where_written(const GuestExtent& old_extent, const GuestExtent& new_extent) const {
    const std::uint64_t begin = *old_extent.host_offset;
    const std::uint64_t end = begin + old_extent.guest.length;
    auto range = std::ranges::upper_bound(written_, begin, {}, &DataExtent::end);
    for (; range != written_.end() && range->begin < end; ++range)
      if (!same_content(old_extent, new_extent, std::max(range->begin, begin) - begin,
                        std::min(range->end, end) - begin))
        return false;
    return true;
  }

  static bool reads_zeros(const Context& context, ExtentKind kind) {
    return is_zero(kind) || (kind == ExtentKind::unallocated && context.report.backing_name.empty());
  }
  static bool is_readable(ExtentKind kind) { return kind == ExtentKind::data || is_zero(kind); }

  // In [begin, end) of the extents.
  bool same_content(const GuestExtent& old_extent, const GuestExtent& new_extent, std::uint64_t begin,
                    std::uint64_t end) const {
    constexpr std::uint64_t kPiece = 1 << 20;
    std::vector<std::byte> old_bytes(std::min(kPiece, end - begin));
    std::vector<std::byte> new_bytes(old_bytes.size());
    for (std::uint64_t at = begin; at < end; at += kPiece) {
      const std::uint64_t length = std::min(kPiece, end - at);
      const std::span old_part(old_bytes.data(), length);
      const std::span new_part(new_bytes.data(), length);
      if (!read(before_, old_extent, at, old_part) || !read(after_, new_extent, at, new_part)) return false;
      if (!std::ranges::equal(old_part, new_part)) return false;
    }
    return true;
  }

  // Compressed clusters that have become standard ones. What did not decode was an error before.
  bool same_when_decoded(GuestRange guest, const GuestExtent& new_extent) const {
    const std::uint64_t cluster = before_.geometry.cluster_bytes;
    for (std::uint64_t at = 0; at < guest.length;) {
      const std::uint64_t begin = (guest.offset + at) % cluster;
      const std::uint64_t length = std::min(cluster - begin, guest.length - at);
      const auto content = decode_cluster(before_, *old_disk_, guest.offset + at - begin);
      std::vector<std::byte> new_bytes(length);
      if (content && (!read(after_, new_extent, at, new_bytes) ||
                      !std::ranges::equal(std::span(*content).subspan(begin, length), new_bytes)))
        return false;
      at += length;
    }
    return true;
  }

  static bool read(const Context& context, const GuestExtent& extent, std::uint64_t at,
                   std::span<std::byte> out) {
    if (extent.kind != ExtentKind::data) {
      std::ranges::fill(out, std::byte{0});
      return true;
    }
    const Device* device = context.header.has_data_file() ? context.data_file.device.get() : &context.image;
    return device && device->read(*extent.host_offset + at, out).has_value();
  }

  const Context& before_;
  const Context& after_;
  const std::vector<GuestRange>& announced_;
  const std::vector<DataExtent>& written_;
  const std::string owner_;
  const DiskState* old_disk_ = nullptr;  // while it is compared
  std::optional<std::string> difference_;
};

// Whether the guest sees nothing of what is written to the image file: what was not referenced, and metadata
// that does not map anything. The header is compared as a whole.
bool is_out_of_view(const Context& before, const Context& after, const std::vector<Step>& steps) {
  if (!before.references || !before.refcounts) return false;
  Header header = after.header;
  header.refcount_table_offset = before.header.refcount_table_offset;
  header.refcount_table_clusters = before.header.refcount_table_clusters;
  const std::uint64_t state_bits = kIncompatibleDirty | kIncompatibleCorrupt;
  header.incompatible_features =
      (header.incompatible_features & ~state_bits) | (before.header.incompatible_features & state_bits);
  if (header != before.header || before.geometry.refcount_order != after.geometry.refcount_order)
    return false;
  const AreaIndex areas(before);
  const unsigned bits = before.geometry.cluster_bits;
  const auto maps_nothing = [&](std::uint64_t cluster) {
    if (before.references->references(cluster) == 0) return true;
    if (before.references->contested(cluster)) return false;
    const Area* area = areas.find(cluster);
    return area ? area->structure == Structure::header || area->structure == Structure::refcount_table
                : before.refcounts->is_block(cluster << bits);
  };
  for (const Step& step : steps)
    for (const Write& write : step.writes) {
      if (write.target != File::image || write.new_bytes.empty()) return false;
      const std::uint64_t last = (write.offset + write.new_bytes.size() - 1) >> bits;
      for (std::uint64_t cluster = write.offset >> bits; cluster <= last; ++cluster)
        if (!maps_nothing(cluster)) return false;
    }
  return true;
}

}  // namespace

std::optional<std::string> compare_guest_views(const Context& before, const Context& after,
                                               const std::vector<Step>& steps) {
  if (is_out_of_view(before, after, steps)) return std::nullopt;
  const std::map<std::string, std::vector<GuestRange>> announced = announced_ranges(steps);
  const std::vector<DataExtent> written =
      written_ranges(steps, before.header.has_data_file() ? File::data_file : File::image);
  const auto differ = [&](const std::string& owner, const DiskState& old_disk, const DiskState& new_disk) {
    static const std::vector<GuestRange> kNothing;
    const auto of_owner = announced.find(owner);
    return ViewComparer(before, after, of_owner == announced.end() ? kNothing : of_owner->second, written,
                        owner)
        .compare(old_disk, new_disk);
  };
  if (auto difference = differ("", active_disk(before), active_disk(after))) return difference;
  std::map<std::pair<std::string_view, std::string_view>, const SnapshotRecord*> there;  // by id and name
  for (const SnapshotRecord& record : after.snapshots)
    there.try_emplace({record.snapshot.id, record.snapshot.name}, &record);
  for (const SnapshotRecord& old_record : before.snapshots) {
    const auto same = there.find({old_record.snapshot.id, old_record.snapshot.name});
    if (same == there.end()) continue;
    if (auto difference = differ(old_record.owner(), snapshot_disk(before, old_record),
                                 snapshot_disk(after, *same->second)))
      return difference;
  }
  return std::nullopt;
}

}  // namespace cowvet
