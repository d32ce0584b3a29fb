#include "checker/analysis/bitmap_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "checker/analysis/places.h"
#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kEntryBytes = 8;

// Judges the entries of one table in order, and joins neighbours that are alike: broken entries into one
// finding, entries whose clusters follow each other into one area.
class TableScan {
 public:
  TableScan(Context& context, const BitmapRecord& record, std::uint64_t& claims_left)
      : context_(context), owner_(record.owner()), claims_left_(claims_left) {}

  // Examines the entries in [begin, end) of the image.
  void examine(std::uint64_t begin, std::uint64_t end) {
    const Place place{.structure = Structure::bitmap_table, .owner = owner_};
    all_known_ &= for_each_entry(context_, begin, (end - begin) / kEntryBytes, place,
                                 [&](std::uint64_t index, std::uint64_t raw) {
                                   examine_entry(begin + index * kEntryBytes, BitmapTableEntry{raw});
                                 });
  }

  // Call once, behind the last entry. False: something that the table names is not known.
  bool finish() {
    report_broken();
    claim_data();
    return all_known_;
  }

 private:
  // "Bit 0: Reserved and must be zero if bits 9 - 55 are non-zero"; bits 1 to 8 and 56 to 63 always. "Must be
  // aligned to a cluster boundary. If the offset is 0, the cluster is unallocated."
  void examine_entry(std::uint64_t at, BitmapTableEntry entry) {
    const std::uint64_t offset = entry.host_offset();
    if (entry.reserved() != 0) broken(rule("bitmap/entry-reserved"), at, entry, "sets reserved bits");
    if (offset == 0) return;
    if (!context_.aligned(offset)) {
      broken(rule("bitmap/entry-unaligned"), at, entry, "does not point at the beginning of a cluster");
      all_known_ = false;
    } else if (!context_.clusters_in_file(offset, 1)) {
      broken(rule("bitmap/entry-outside"), at, entry, "points past the end of the file");
      all_known_ = false;
    } else {
      claim(offset);
    }
  }

  void broken(RuleId rule, std::uint64_t at, BitmapTableEntry entry, const char* what) {
    if (broken_ && broken_->rule == rule && broken_->place.offset + broken_->place.length == at) {
      broken_->place.length += kEntryBytes;
      ++broken_->count;
      return;
    }
    report_broken();
    const Place place{
        .structure = Structure::bitmap_table, .offset = at, .length = kEntryBytes, .owner = owner_};
    broken_ = Finding{.rule = rule, .place = place, .found = entry.raw};
    broken_->detail = fmt::format("the bitmap table entry {:#018x} {}", entry.raw, what);
  }

  void report_broken() {
    if (broken_) context_.findings.add(std::move(*broken_));
    broken_.reset();
  }

  void claim(std::uint64_t offset) {
    if (claims_left_ == 0) return;
    --claims_left_;
    if (data_.length == 0 || data_.offset + data_.length != offset) {
      claim_data();
      data_ = {.structure = Structure::bitmap_data, .offset = offset, .length = 0, .owner = owner_};
    }
    data_.length += context_.geometry.cluster_bytes;
  }

  void claim_data() {
    if (data_.length != 0) context_.areas.push_back(std::move(data_));
    data_ = {};
  }

  Context& context_;
  std::string owner_;
  std::uint64_t& claims_left_;
  std::optional<Finding> broken_;  // the run of broken entries at hand
  Area data_;                      // the run of clusters at hand
  bool all_known_ = true;
};

template <typename Field>
Place field(const BitmapRecord& record, Field RawBitmapHead::* member) {
  Place place = place_of(Structure::bitmap_directory, record.entry_offset, member);
  place.owner = record.owner();
  return place;
}

// "Offset into the image file at which the bitmap table (described below) for the bitmap starts. Must be
// aligned to a cluster boundary." A disk without bytes has bitmaps without tables.
bool check_table_place(Context& context, const BitmapRecord& record) {
  const std::uint64_t offset = record.bitmap.table_offset;
  const std::uint64_t bytes = record.bitmap.table_size * kEntryBytes;
  const Place place = field(record, &RawBitmapHead::bitmap_table_offset);
  const bool aligned = context.aligned(offset);
  if (!aligned)
    context.findings.add(
        {.rule = rule("bitmap/table-unaligned"),
         .place = place,
         .found = offset,
         .detail = fmt::format("the bitmap table at offset {:#x} does not begin at a cluster", offset)});
  if (bytes == 0) return true;
  const bool inside = offset != 0 && context.clusters_in_file(offset, bytes);
  if (!inside)
    context.findings.add(
        {.rule = rule("bitmap/table-outside"),
         .place = place,
         .found = offset,
         .detail = fmt::format("the bitmap table at offset {:#x}, {} bytes, is not inside the file", offset,
                               bytes)});
  return aligned && inside;
}

// The parts of [begin, end) that `examined` does not have yet, which it then has.
std::vector<std::pair<std::uint64_t, std::uint64_t>> add_interval(
    std::map<std::uint64_t, std::uint64_t>& examined, std::uint64_t begin, std::uint64_t end) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> missing;
  auto at = examined.upper_bound(begin);
  if (at != examined.begin() && std::prev(at)->second >= begin) --at;
  std::uint64_t merged_begin = begin;
  std::uint64_t merged_end = end;
  std::uint64_t next = begin;
  while (at != examined.end() && at->first <= end) {
    if (next < at->first) missing.emplace_back(next, at->first);
    next = std::max(next, at->second);
    merged_begin = std::min(merged_begin, at->first);
    merged_end = std::max(merged_end, at->second);
    at = examined.erase(at);
  }
  if (next < end) missing.emplace_back(next, end);
  examined.emplace(merged_begin, merged_end);
  return missing;
}

}  // namespace

std::optional<std::uint64_t> needed_table_entries(const Context& context, const Bitmap& bitmap) {
  if (bitmap.granularity_bits > 63) return std::nullopt;
  return divide_up(bitmap_data_bytes(context.header.size, bitmap.granularity_bits),
                   context.geometry.cluster_bytes);
}

void BitmapTables::examine(BitmapRecord& record) {
  const bool in_place = check_table_place(context_, record);
  if (record.bitmap.table_size == 0) return;
  const std::uint64_t begin = record.bitmap.table_offset;
  const std::uint64_t bytes = record.bitmap.table_size * kEntryBytes;
  const unsigned bits = context_.geometry.cluster_bits;
  record.table_usable = in_place && !other_areas_.touches(begin >> bits, ((begin + bytes - 1) >> bits) + 1);
  all_known_ &= record.table_usable;
  if (in_place)
    context_.areas.push_back(
        {.structure = Structure::bitmap_table, .offset = begin, .length = bytes, .owner = record.owner()});
  if (!record.table_usable) return;
  TableScan scan(context_, record, claims_left_);
  for (const auto& [from, to] : add_interval(examined_, begin, begin + bytes)) scan.examine(from, to);
  all_known_ &= scan.finish();
}

void BitmapTables::examine_tail(const BitmapRecord& record) {
  const Bitmap& bitmap = record.bitmap;
  if (!record.table_usable || needed_table_entries(context_, bitmap) != bitmap.table_size) return;
  const std::uint64_t cluster_bytes = context_.geometry.cluster_bytes;
  const std::uint64_t granularity = std::uint64_t{1} << bitmap.granularity_bits;
  const std::uint64_t tail_bit = divide_up(context_.header.size, granularity) % (cluster_bytes * 8);
  if (tail_bit == 0) return;

  Place place{.structure = Structure::bitmap_table, .owner = record.owner()};
  std::byte raw[kEntryBytes];
  const std::uint64_t last_entry = bitmap.table_offset + (bitmap.table_size - 1) * kEntryBytes;
  if (!context_.read(context_.image, last_entry, raw, place)) return;
  const std::uint64_t offset = BitmapTableEntry{load_big_endian<std::uint64_t>(raw)}.host_offset();
  if (offset == 0 || !context_.aligned(offset) || !context_.clusters_in_file(offset, 1)) return;
  if (!tails_.insert(offset).second) return;

  place.structure = Structure::bitmap_data;
  std::vector<std::byte> tail(cluster_bytes - tail_bit / 8);
  if (!context_.read(context_.image, offset + tail_bit / 8, tail, place)) return;
  tail[0] >>= tail_bit % 8;  // bit 0 of a byte comes first
  if (std::ranges::all_of(tail, [](std::byte byte) { return byte == std::byte{0}; })) return;
  place.offset = offset + tail_bit / 8;
  place.length = tail.size();
  context_.findings.add({.rule = rule("bitmap/tail-bits"),
                         .place = place,
                         .expected = 0,
                         .detail = "bits behind the end of the virtual disk are set"});
}

}  // namespace cowvet
