// The bitmap directory: one entry of variable length for each bitmap. The header extension says both how many
// entries there are and how many bytes they have, so the two are judged against each other.
//
// Bitmaps that are in use (not saved correctly) are well-formed, but "the metadata (such as the auto flag or
// bitmap size) or data contents may be outdated": their sizes are not judged.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "checker/analysis/bitmap_tables.h"
#include "checker/analysis/entry_reader.h"
#include "checker/analysis/extension_area.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/places.h"

namespace cowvet {
namespace {

constexpr std::uint32_t kMostBitmaps = 65535;                               // QEMU limit
constexpr std::uint64_t kMostDirectoryBytes = std::uint64_t{1024} * 65535;  // QEMU limit
constexpr std::size_t kMostNameBytes = 1023;                                // QEMU limit
constexpr unsigned kLeastGranularityBits = 9;                               // QEMU limit
constexpr unsigned kMostGranularityBits = 31;                               // QEMU limit

using DirectoryReader = EntryReader<DecodedBitmap>;

template <typename Field>
Place field(const BitmapRecord& record, Field RawBitmapHead::* member) {
  Place place = place_of(Structure::bitmap_directory, record.entry_offset, member);
  place.owner = record.owner();
  return place;
}

void report(Context& context, RuleId rule, const Place& place, std::uint64_t found, std::string detail) {
  context.findings.add({.rule = rule, .place = place, .found = found, .detail = std::move(detail)});
}

// "All bytes of the padding must be zero."
void check_padding(Context& context, const BitmapRecord& record, const DecodedBitmap& decoded) {
  if (decoded.padding_is_zero) return;
  const std::uint64_t padding = decoded.entry_bytes - sizeof(RawBitmapHead) -
                                record.bitmap.extra_data.size() - record.bitmap.name.size();
  const Place place{.structure = Structure::bitmap_directory,
                    .offset = record.entry_offset + decoded.entry_bytes - padding,
                    .length = padding,
                    .owner = record.owner()};
  context.findings.add({.rule = rule("bitmap/padding"),
                        .place = place,
                        .expected = 0,
                        .detail = "the padding of the bitmap directory entry is not zero"});
}

// "Bits 3 - 31 are reserved and must be 0." Bit 0: "The bitmap was not saved correctly and may be
// inconsistent."
void check_flags(Context& context, const BitmapRecord& record) {
  const std::uint32_t flags = record.bitmap.flags;
  const Place place = field(record, &RawBitmapHead::flags);
  if ((flags & Bitmap::kFlagsReserved) != 0)
    report(context, rule("bitmap/flags"), place, flags, fmt::format("reserved flags are set: {:#x}", flags));
  if ((flags & Bitmap::kInUse) != 0)
    report(context, rule("bitmap/in-use"), place, flags, "the bitmap was not saved correctly");
}

// "1: Dirty tracking bitmap. Values 0, 2 - 255 are reserved."
void check_type(Context& context, const BitmapRecord& record) {
  const std::uint8_t type = record.bitmap.type;
  if (type == Bitmap::kDirtyTracking) return;
  report(context, rule("bitmap/type"), field(record, &RawBitmapHead::type), type,
         fmt::format("bitmap type {} is not defined", type));
}

// "Granularity bits. Valid values: 0 - 63. Note: QEMU currently supports only values 9 - 31."
void check_granularity(Context& context, const BitmapRecord& record) {
  const unsigned bits = record.bitmap.granularity_bits;
  if (bits >= kLeastGranularityBits && bits <= kMostGranularityBits) return;
  report(context, rule("bitmap/granularity"), field(record, &RawBitmapHead::granularity_bits), bits,
         fmt::format("granularity_bits is {}, QEMU reads {} to {}", bits, kLeastGranularityBits,
                     kMostGranularityBits));
}

// "Size of the bitmap name. Must be non-zero. Note: QEMU currently doesn't support values greater than 1023."
void check_name(Context& context, const BitmapRecord& record) {
  const std::size_t bytes = record.bitmap.name.size();
  const Place place = field(record, &RawBitmapHead::name_size);
  if (bytes == 0) report(context, rule("bitmap/name-empty"), place, bytes, "the bitmap has no name");
  if (bytes > kMostNameBytes)
    report(context, rule("bitmap/name-long"), place, bytes,
           fmt::format("the bitmap name has {} bytes, QEMU reads at most {}", bytes, kMostNameBytes));
}

// "extra_data_size is reserved and should be zero. If it is non-zero the behavior is defined by
// extra_data_compatible flag": without the flag, the bitmap must not be used.
void check_extra_data(Context& context, const BitmapRecord& record) {
  const Bitmap& bitmap = record.bitmap;
  if (bitmap.extra_data.empty() || (bitmap.flags & Bitmap::kExtraDataCompatible) != 0) return;
  report(context, rule("bitmap/extra-data"), field(record, &RawBitmapHead::extra_data_size),
         bitmap.extra_data.size(),
         fmt::format("the bitmap has {} bytes of unknown extra data, so that it must not be used",
                     bitmap.extra_data.size()));
}

// "Each bitmap size is equal to the virtual disk size." QEMU opens no image with a bitmap in sync whose table
// is longer or shorter.
void check_table_size(Context& context, const BitmapRecord& record) {
  const Bitmap& bitmap = record.bitmap;
  const auto needed = needed_table_entries(context, bitmap);
  if (!needed || (bitmap.flags & Bitmap::kInUse) != 0 || bitmap.table_size == *needed) return;
  context.findings.add({.rule = rule("bitmap/table-size"),
                        .place = field(record, &RawBitmapHead::bitmap_table_size),
                        .expected = needed,
                        .found = bitmap.table_size,
                        .detail = fmt::format("the bitmap table has {} entries, the virtual disk needs {}",
                                              bitmap.table_size, *needed)});
}

// "Must be unique among all bitmap names within the bitmaps extension."
void check_duplicate_names(Context& context) {
  std::map<std::string_view, const BitmapRecord*> first;
  for (const BitmapRecord& record : context.bitmaps) {
    const auto [seen, is_new] = first.emplace(record.bitmap.name, &record);
    if (is_new || record.bitmap.name.empty()) continue;
    const Place place = field(record, &RawBitmapHead::name_size);
    const Place other = field(*seen->second, &RawBitmapHead::name_size);
    context.findings.add(
        {.rule = rule("bitmap/name-duplicate"),
         .place = place,
         .other = other,
         .detail = fmt::format("the bitmap name {} is used twice", excerpt(record.bitmap.name))});
  }
}

void report_cut_off(Context& context, std::uint64_t at, std::uint64_t end) {
  const Place place{.structure = Structure::bitmap_directory, .offset = at, .length = end - at};
  context.findings.add(
      {.rule = rule("bitmap/entry-truncated"),
       .place = place,
       .expected = context.bitmap_count,
       .found = context.bitmaps.size(),
       .detail = fmt::format("the bitmap directory ends inside the entry behind {} of {} bitmaps",
                             context.bitmaps.size(), context.bitmap_count)});
}

// "It is the cumulative size of all (nb_bitmaps) bitmap directory entries."
bool check_directory_size(Context& context, std::uint64_t entries_end) {
  const auto [begin, bytes] = *context.bitmap_directory;
  if (context.bitmaps.size() == context.bitmap_count && entries_end == begin + bytes) return true;
  const Place place{.structure = Structure::bitmap_directory, .offset = begin, .length = bytes};
  context.findings.add(
      {.rule = rule("bitmap/directory-size"),
       .place = place,
       .expected = entries_end - begin,
       .found = bytes,
       .detail = fmt::format("the bitmap directory has {} bytes, its {} of {} entries have {}", bytes,
                             context.bitmaps.size(), context.bitmap_count, entries_end - begin)});
  return false;
}

// Decodes the directory's entries; false: some are not known.
bool read_directory(Context& context) {
  const auto [begin, bytes] = *context.bitmap_directory;
  const std::uint64_t end = begin + std::min(bytes, kMostDirectoryBytes);
  const std::uint32_t count = std::min(context.bitmap_count, kMostBitmaps);
  DirectoryReader reader(context, Structure::bitmap_directory, begin, end, decode_bitmap);
  while (context.bitmaps.size() < count && reader.at() < end) {
    const std::uint64_t at = reader.at();
    auto decoded = reader.next();
    if (reader.cut_off()) report_cut_off(context, at, end);
    if (!decoded) return false;
    context.bitmaps.push_back({.bitmap = std::move(decoded->bitmap), .entry_offset = at});
    check_padding(context, context.bitmaps.back(), *decoded);
  }
  return check_directory_size(context, reader.at());
}

void examine_directory(Context& context) {
  const auto [begin, bytes] = *context.bitmap_directory;
  context.areas.push_back(
      {.structure = Structure::bitmap_directory, .offset = begin, .length = bytes, .owner = {}});
  if (!read_directory(context)) context.unknown_references.emplace_back("the rest of the bitmap directory");
  // Every entry that is there is decoded.

  BitmapTables tables(context);
  for (BitmapRecord& record : context.bitmaps) {
    check_flags(context, record);
    check_type(context, record);
    check_granularity(context, record);
    check_name(context, record);
    check_extra_data(context, record);
    check_table_size(context, record);
    tables.examine(record);
    if (context.options.deep && (record.bitmap.flags & Bitmap::kInUse) == 0) tables.examine_tail(record);
  }
  if (!tables.all_known()) context.unknown_references.emplace_back("the data of a bitmap");
  check_duplicate_names(context);
}

// Whether no two areas share a cluster. Sorts them.
bool disjoint(const Context& context, std::vector<Area>& areas) {
  std::ranges::sort(areas, {}, &Area::offset);
  const unsigned bits = context.geometry.cluster_bits;
  const auto meet = [bits](const Area& area, const Area& next) {
    return area.length != 0 && (area.offset + area.length - 1) >> bits >= next.offset >> bits;
  };
  return std::ranges::adjacent_find(areas, meet) == areas.end();
}

// What stale bitmaps point at is looked into apart, where it can neither report nor claim anything. Where all
// of it still makes sense, the clusters are remembered as what they were.
void load_stale_bitmaps(Context& context) {
  Context apart(context.inputs, context.options, context.progress);
  apart.header = context.header;
  apart.geometry = context.geometry;
  apart.bitmap_directory = context.bitmap_directory;
  apart.bitmap_count = context.bitmap_count;
  examine_directory(apart);
  context.failed_reads.absorb(apart.failed_reads);
  if (apart.unknown_references.empty() && disjoint(apart, apart.areas))
    context.stale_areas = std::move(apart.areas);
}

}  // namespace

void load_bitmaps(Context& context) {
  if (!context.bitmap_directory) return;
  if (context.bitmaps_stale) return load_stale_bitmaps(context);
  examine_directory(context);
  context.report.counters.bitmaps = context.bitmaps.size();
}

}  // namespace cowvet
