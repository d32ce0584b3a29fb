#include "checker/planning/bitmap_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checker/analysis/extension_area.h"
#include "checker/analysis/references.h"
#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/planning/first_cluster.h"
#include "checker/planning/lost_tables.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMostEntryBytes = 2048;  // head, extra data, name: QEMU limits
constexpr std::uint64_t kMostDirectoryBytes = std::uint64_t{1024} * 65535;  // QEMU limit

bool is_plausible(const Round& round, const Bitmap& bitmap) {
  const bool readable = std::ranges::none_of(
      bitmap.name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return bitmap.type == Bitmap::kDirtyTracking && !bitmap.name.empty() && readable &&
         (bitmap.flags & Bitmap::kFlagsReserved) == 0 &&
         (bitmap.table_size == 0 ||
          (bitmap.table_offset != 0 && round.context.aligned(bitmap.table_offset) &&
           round.context.clusters_in_file(bitmap.table_offset, bitmap.table_size * std::uint64_t{8})));
}

void release_bitmap(Round& round, const BitmapRecord& record) {
  Context& context = round.context;
  if (!record.table_usable) {
    if (record.bitmap.table_size != 0)
      round.consent_needed.insert(
          "refcount/orphan-mapping: what only a dropped bitmap referred to may look like lost data, which is "
          "kept; "
          "--choose refcount/orphan-mapping=free frees it");
    return;
  }
  const std::uint64_t entries = record.bitmap.table_size;
  round.release(record.bitmap.table_offset, entries * 8);
  for_each_entry(context, record.bitmap.table_offset, entries, {.structure = Structure::bitmap_table},
                 [&](std::uint64_t, std::uint64_t raw) {
                   const std::uint64_t offset = BitmapTableEntry{raw}.host_offset();
                   if (offset != 0 && context.aligned(offset) && context.clusters_in_file(offset, 1))
                     round.release(offset, context.geometry.cluster_bytes);
                 });
}

}  // namespace

DirectoryExtent measure_directory(const Round& round, std::uint64_t offset, std::uint64_t end,
                                  std::uint32_t most) {
  const std::uint64_t file_end = std::min(end, round.context.geometry.file_bytes);
  const std::uint64_t limit = std::min(file_end, offset + std::min(kMostDirectoryBytes, ~offset));
  DirectoryExtent extent{.offset = offset};
  std::vector<std::byte> piece;
  while (extent.count < most && offset + extent.length < limit) {
    const std::uint64_t at = offset + extent.length;
    piece.resize(std::min(kMostEntryBytes, limit - at));
    if (!round.context.image.read(at, piece)) break;
    const auto decoded = decode_bitmap(piece);
    if (!decoded || !is_plausible(round, decoded->bitmap)) break;
    extent.length += decoded->entry_bytes;
    ++extent.count;
  }
  return extent;
}

std::optional<DirectoryExtent> find_lost_directory(const Round& round, std::uint64_t length,
                                                   std::uint32_t count) {
  std::optional<DirectoryExtent> found;
  if (count == 0) return found;
  for (const std::uint64_t offset : unowned_clusters(round)) {
    if (!fits_in(offset, length, round.context.geometry.file_bytes)) continue;
    const DirectoryExtent extent = measure_directory(round, offset, offset + length, count);
    if (extent.count != count || extent.length != length) continue;
    if (found) return std::nullopt;
    found = extent;
  }
  return found;
}

void name_directory(Round& round, const DirectoryExtent& extent) {
  const Extension* extension = find_extension(round.context.extensions, ExtensionType::bitmaps);
  if (!extension) return;
  round.editor.write_number(File::image, extension->offset + offsetof(RawExtensionHead, length_bytes),
                            static_cast<std::uint32_t>(sizeof(RawBitmapsExtension)));
  round.editor.write(
      File::image, extension->offset + sizeof(RawExtensionHead),
      encode_bitmaps_extension(
          {.nb_bitmaps = extent.count, .directory_size = extent.length, .directory_offset = extent.offset}));
}

void drop_bitmaps_extension(Round& round, const Finding& finding, const std::string& why) {
  if (std::exchange(round.rewrote_bitmaps, true)) return;
  auto area = FirstCluster::load(round);
  if (!area || area->overrun()) return;
  std::erase_if(area->items,
                [](const FirstCluster::Item& item) { return item.type == ExtensionType::bitmaps; });
  round.editor.begin(finding.rule, Remedy::metadata, why);
  if (!area->write(round)) return;
  const std::uint64_t at = offsetof(RawHeader, autoclear_features);
  const auto bits = round.editor.read_number<std::uint64_t>(File::image, at);
  round.editor.write_number(File::image, at, bits & ~kAutoclearBitmaps);
  for (const BitmapRecord& record : round.context.bitmaps) release_bitmap(round, record);
  for (const Area& area_left : round.context.stale_areas) round.release(area_left.offset, area_left.length);
  if (const auto& directory = round.context.bitmap_directory)
    round.release(directory->first, directory->second);
}

void drop_bitmaps(Round& round, const Finding& finding, const std::string& why,
                  const std::function<bool(const BitmapRecord&)>& is_dropped) {
  if (round.rewrote_bitmaps || !round.context.bitmap_directory) return;
  std::vector<std::byte> directory;
  DirectoryExtent extent;
  for (const BitmapRecord& record : round.context.bitmaps) {
    if (is_dropped(record)) continue;
    encode_bitmap(record.bitmap, directory);
    ++extent.count;
  }
  if (extent.count == 0) return drop_bitmaps_extension(round, finding, why);
  round.rewrote_bitmaps = true;
  extent.length = directory.size();
  const Geometry& geometry = round.context.geometry;
  const std::uint64_t clusters = divide_up(extent.length, geometry.cluster_bytes);
  directory.resize(clusters << geometry.cluster_bits);
  const auto offset = round.allocator.allocate(clusters);
  if (!offset) return;
  extent.offset = *offset;
  round.editor.begin(finding.rule, Remedy::metadata,
                     fmt::format("write a new bitmap directory at {:#x}", *offset), Phase::structures);
  round.editor.write(File::image, *offset, directory);
  round.editor.begin(finding.rule, Remedy::metadata, why);
  name_directory(round, extent);
  for (const BitmapRecord& record : round.context.bitmaps)
    if (is_dropped(record)) release_bitmap(round, record);
  round.release(round.context.bitmap_directory->first, round.context.bitmap_directory->second);
}

}  // namespace cowvet
