#include "checker/format/bitmap.h"

#include <algorithm>
#include <cstring>

namespace cowvet {

std::expected<DecodedBitmap, std::uint64_t> decode_bitmap(std::span<const std::byte> bytes) {
  RawBitmapHead head;
  if (bytes.size() < sizeof head) return std::unexpected(sizeof head);
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::uint64_t name_at = sizeof head + std::uint64_t{head.extra_data_size};
  const std::uint64_t end = name_at + head.name_size;
  const std::uint64_t entry_bytes = (end + 7) / 8 * 8;
  if (bytes.size() < entry_bytes) return std::unexpected(entry_bytes);

  const std::span padding = bytes.subspan(end, entry_bytes - end);
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return DecodedBitmap{
      {.table_offset = head.bitmap_table_offset,
       .table_size = head.bitmap_table_size,
       .flags = head.flags,
       .type = head.type,
       .granularity_bits = head.granularity_bits,
       .extra_data = {bytes.begin() + sizeof head, bytes.begin() + static_cast<std::ptrdiff_t>(name_at)},
       .name = std::string(text + name_at, head.name_size)},
      entry_bytes,
      std::ranges::all_of(padding, [](std::byte b) { return b == std::byte{0}; })};
}

void encode_bitmap(const Bitmap& bitmap, std::vector<std::byte>& out) {
  RawBitmapHead head;
  head.bitmap_table_offset = bitmap.table_offset;
  head.bitmap_table_size = bitmap.table_size;
  head.flags = bitmap.flags;
  head.type = bitmap.type;
  head.granularity_bits = bitmap.granularity_bits;
  head.name_size = static_cast<std::uint16_t>(bitmap.name.size());
  head.extra_data_size = static_cast<std::uint32_t>(bitmap.extra_data.size());
  const auto append = [&out](const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    out.insert(out.end(), bytes, bytes + size);
  };
  append(&head, sizeof head);
  append(bitmap.extra_data.data(), bitmap.extra_data.size());
  append(bitmap.name.data(), bitmap.name.size());
  const std::size_t entry = sizeof head + bitmap.extra_data.size() + bitmap.name.size();
  out.resize(out.size() + (8 - entry % 8) % 8);
}

}  // namespace cowvet
