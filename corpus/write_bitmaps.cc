#include <algorithm>

#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

std::vector<std::byte> bitmap_bits(const AddBitmap& step, std::uint64_t disk_bytes) {
  std::vector<std::byte> bits(bitmap_data_bytes(disk_bytes, step.granularity_bits));
  for (const GuestRange& range : step.set) {
    const std::uint64_t end = std::min(range.offset + range.length, disk_bytes);
    if (range.offset >= end) continue;
    const std::uint64_t last = (end - 1) >> step.granularity_bits;
    for (std::uint64_t bit = range.offset >> step.granularity_bits; bit <= last; ++bit)
      bits[bit / 8] |= std::byte{1} << (bit % 8);
  }
  return bits;
}

// The table entry of one cluster of bits. All zeros take no cluster.
std::uint64_t store_bits(Draft& draft, std::span<const std::byte> bits, const std::string& use) {
  if (std::ranges::all_of(bits, [](std::byte b) { return b == std::byte{0}; })) return 0;
  const std::uint64_t offset = draft.layout.clusters.allocate(1, use);
  std::vector<std::byte> cluster(draft.layout.shape.cluster_bytes);
  std::ranges::copy(bits, cluster.begin());
  put_bytes(draft.image, offset, cluster);
  return offset;
}

std::vector<std::uint64_t> store_bitmap(Draft& draft, const AddBitmap& step) {
  const std::uint64_t cluster = draft.layout.shape.cluster_bytes;
  const std::vector<std::byte> bits = bitmap_bits(step, draft.disk_bytes);
  std::vector<std::uint64_t> table;
  for (std::uint64_t at = 0; at < bits.size(); at += cluster) {
    const auto part = std::span(bits).subspan(at, std::min<std::uint64_t>(cluster, bits.size() - at));
    table.push_back(step.full ? BitmapTableEntry::kAllOnes
                              : store_bits(draft, part, "data of bitmap " + step.name));
  }
  return table;
}

BitmapLayout write_bitmap(Draft& draft, const AddBitmap& step) {
  Layout& layout = draft.layout;
  BitmapLayout bitmap{.table = store_bitmap(draft, step)};
  bitmap.entry = {.table_size = static_cast<std::uint32_t>(bitmap.table.size()),
                  .flags = (step.in_use ? Bitmap::kInUse : 0) | (step.automatic ? Bitmap::kAuto : 0) |
                           (step.extra_compatible ? Bitmap::kExtraDataCompatible : 0),
                  .granularity_bits = static_cast<std::uint8_t>(step.granularity_bits),
                  .extra_data = std::vector<std::byte>(step.extra_bytes, std::byte{0x5e}),
                  .name = step.name};
  const std::uint64_t clusters =
      std::max<std::uint64_t>(1, layout.shape.clusters_for(bitmap.table.size() * 8));
  bitmap.entry.table_offset = layout.clusters.allocate(clusters, "table of bitmap " + step.name);
  for (std::uint64_t i = 0; i < bitmap.table.size(); ++i)
    put_number(draft.image, bitmap.entry.table_offset + i * 8, bitmap.table[i]);
  return bitmap;
}

constexpr std::uint64_t kMostBitmapBytes = 64 << 20;

}  // namespace

void write_bitmaps(Draft& draft) {
  Layout& layout = draft.layout;
  if (draft.bitmaps.empty()) return;
  std::vector<std::byte> directory;
  for (const AddBitmap& step : draft.bitmaps) {
    if (bitmap_data_bytes(draft.disk_bytes, step.granularity_bits) > kMostBitmapBytes)
      return draft.fail("the granularity is too fine for the size of the disk");
    BitmapLayout bitmap = write_bitmap(draft, step);
    bitmap.entry_offset = directory.size();
    encode_bitmap(bitmap.entry, directory);
    layout.bitmaps.push_back(std::move(bitmap));
  }
  layout.bitmap_directory_bytes = directory.size();
  layout.bitmap_directory_offset =
      layout.clusters.allocate(layout.shape.clusters_for(directory.size()), "bitmap directory");
  for (BitmapLayout& bitmap : layout.bitmaps) bitmap.entry_offset += layout.bitmap_directory_offset;
  put_bytes(draft.image, layout.bitmap_directory_offset, directory);
}

}  // namespace cowvet::corpus
