#include "checker/format/bitmap.h"

#include <gtest/gtest.h>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

Bitmap any_bitmap() {
  return {.table_offset = any_number<std::uint64_t>(),
          .table_size = any_number<std::uint32_t>(),
          .flags = any_number<std::uint32_t>(),
          .type = any_number<std::uint8_t>(),
          .granularity_bits = any_number<std::uint8_t>(),
          .extra_data = any_bytes(40),
          .name = any_text(300)};
}

TEST(BitmapEntry, survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    const Bitmap bitmap = any_bitmap();
    std::vector<std::byte> bytes;
    encode_bitmap(bitmap, bytes);
    RC_ASSERT(bytes.size() % 8 == 0u);
    const auto decoded = decode_bitmap(bytes);
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(decoded->bitmap == bitmap);
    RC_ASSERT(decoded->entry_bytes == bytes.size());
    RC_ASSERT(decoded->padding_is_zero);
  }));
}

TEST(BitmapEntry, a_directory_of_them_decodes_one_behind_the_other) {
  EXPECT_TRUE(rc::check([] {
    std::vector<Bitmap> bitmaps(*rc::gen::inRange<std::size_t>(0, 6));
    std::vector<std::byte> directory;
    for (Bitmap& bitmap : bitmaps) encode_bitmap(bitmap = any_bitmap(), directory);

    std::span<const std::byte> rest = directory;
    for (const Bitmap& bitmap : bitmaps) {
      const auto decoded = decode_bitmap(rest);
      RC_ASSERT(decoded.has_value());
      RC_ASSERT(decoded->bitmap == bitmap);
      rest = rest.subspan(decoded->entry_bytes);
    }
    RC_ASSERT(rest.empty());
  }));
}

TEST(BitmapEntry, a_shorter_piece_says_how_many_bytes_are_needed) {
  EXPECT_TRUE(rc::check([] {
    std::vector<std::byte> bytes;
    encode_bitmap(any_bitmap(), bytes);
    const auto size = *rc::gen::inRange<std::size_t>(0, bytes.size());
    const auto decoded = decode_bitmap(std::span(bytes).first(size));
    RC_ASSERT(!decoded.has_value());
    RC_ASSERT(decoded.error() == (size < 24 ? 24 : bytes.size()));
  }));
}

TEST(BitmapEntry, padding_is_looked_at_byte_by_byte) {
  std::vector<std::byte> bytes;
  encode_bitmap({.name = "abc"}, bytes);
  ASSERT_EQ(bytes.size(), 32u);
  for (std::size_t at = 27; at < 32; ++at) {
    auto dirty = bytes;
    dirty[at] = std::byte{1};
    EXPECT_FALSE(decode_bitmap(dirty).value().padding_is_zero) << at;
  }
}

TEST(BitmapEntry, lengths_that_no_file_can_hold_are_an_error_not_a_read) {
  std::vector<std::byte> bytes;
  encode_bitmap({}, bytes);
  store_big_endian<std::uint16_t>(bytes.data() + 18, 0xffff);
  store_big_endian<std::uint32_t>(bytes.data() + 20, 0xffffffff);
  EXPECT_EQ(decode_bitmap(bytes).error(), (24 + 0xffff + 0xffffffffull + 7) / 8 * 8);
}

// Written by hand from the table in the specification: an enabled bitmap "b0" in use, granularity 64 KiB.
constexpr const char* kEntry = R"(
  0000000000090000
  00000001
  00000003
  01
  10
  0002
  00000000
  6230 000000000000)";

TEST(BitmapEntry, golden_bytes_decode_to_their_fields) {
  const auto bytes = from_hex(kEntry);
  const Bitmap expected{.table_offset = 0x90000,
                        .table_size = 1,
                        .flags = Bitmap::kInUse | Bitmap::kAuto,
                        .type = Bitmap::kDirtyTracking,
                        .granularity_bits = 16,
                        .extra_data = {},
                        .name = "b0"};
  EXPECT_EQ(decode_bitmap(bytes).value().bitmap, expected);

  std::vector<std::byte> encoded;
  encode_bitmap(expected, encoded);
  EXPECT_EQ(to_hex(encoded), to_hex(bytes));
}

TEST(BitmapEntry, data_has_a_bit_for_each_granule_begun) {
  EXPECT_EQ(bitmap_data_bytes(0, 16), 0u);
  EXPECT_EQ(bitmap_data_bytes(1, 16), 1u);
  EXPECT_EQ(bitmap_data_bytes(8 * 65536, 16), 1u);
  EXPECT_EQ(bitmap_data_bytes(8 * 65536 + 1, 16), 2u);
  EXPECT_EQ(bitmap_data_bytes(~std::uint64_t{0}, 63), 1u);
  EXPECT_EQ(bitmap_data_bytes(~std::uint64_t{0}, 9), std::uint64_t{1} << 52);
}

}  // namespace
}  // namespace cowvet
