// Bitmap directory entries (specification, "Bitmap directory"): a fixed head, extra data, name, padding to 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "checker/format/endian.h"

namespace cowvet {

struct RawBitmapHead {
  Be64 bitmap_table_offset;
  Be32 bitmap_table_size;  // entries
  Be32 flags;
  std::uint8_t type;
  std::uint8_t granularity_bits;
  Be16 name_size;
  Be32 extra_data_size;
};
static_assert(sizeof(RawBitmapHead) == 24);

struct Bitmap {
  static constexpr std::uint32_t kInUse = 1u << 0;
  static constexpr std::uint32_t kAuto = 1u << 1;
  static constexpr std::uint32_t kExtraDataCompatible = 1u << 2;
  static constexpr std::uint32_t kFlagsReserved = 0xfffffff8;  // by the specification
  static constexpr std::uint8_t kDirtyTracking = 1;

  std::uint64_t table_offset = 0;
  std::uint32_t table_size = 0;  // entries
  std::uint32_t flags = 0;
  std::uint8_t type = kDirtyTracking;
  std::uint8_t granularity_bits = 16;
  std::vector<std::byte> extra_data;
  std::string name;

  bool operator==(const Bitmap&) const = default;
};

struct DecodedBitmap {
  Bitmap bitmap;
  std::uint64_t entry_bytes = 0;  // with padding
  bool padding_is_zero = true;
};

// Decodes the entry at the start of `bytes`; the error is the number of bytes the entry would have needed,
// padding included (a directory's size is the sum of its padded entries).
std::expected<DecodedBitmap, std::uint64_t> decode_bitmap(std::span<const std::byte> bytes);

// Appends the entry, with padding.
void encode_bitmap(const Bitmap& bitmap, std::vector<std::byte>& out);

// Bytes of bitmap data for a disk: one bit for each granule, rounded up to whole bytes.
constexpr std::uint64_t bitmap_data_bytes(std::uint64_t disk_bytes, unsigned granularity_bits) {
  const std::uint64_t granules =
      (disk_bytes >> granularity_bits) + ((disk_bytes & ((std::uint64_t{1} << granularity_bits) - 1)) != 0);
  return granules / 8 + (granules % 8 != 0);
}

}  // namespace cowvet
