#include "checker/format/luks.h"

#include <gtest/gtest.h>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

template <std::size_t N>
std::array<unsigned char, N> any_array() {
  std::array<unsigned char, N> array{};
  for (unsigned char& byte : array) byte = any_number<std::uint8_t>();
  return array;
}

LuksHeader any_luks_header() {
  LuksHeader header{.version = any_number<std::uint16_t>(),
                    .cipher_name = any_field_text(32),
                    .cipher_mode = any_field_text(32),
                    .hash_spec = any_field_text(32),
                    .payload_sector = any_number<std::uint32_t>(),
                    .key_bytes = any_number<std::uint32_t>(),
                    .digest = any_array<20>(),
                    .salt = any_array<32>(),
                    .iterations = any_number<std::uint32_t>(),
                    .uuid = any_field_text(40)};
  for (LuksKeySlot& slot : header.slots)
    slot = {.active = any_number<std::uint32_t>(),
            .iterations = any_number<std::uint32_t>(),
            .salt = any_array<32>(),
            .key_material_sector = any_number<std::uint32_t>(),
            .stripes = any_number<std::uint32_t>()};
  return header;
}

std::span<const std::byte> bytes_of(const RawLuksHeader& raw) {
  return std::as_bytes(std::span(&raw, 1));
}

TEST(LuksHeader, survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    const LuksHeader header = any_luks_header();
    const RawLuksHeader raw = encode_luks_header(header);
    RC_ASSERT(decode_luks_header(bytes_of(raw)) == header);
  }));
}

TEST(LuksHeader, needs_592_bytes_and_its_magic) {
  const RawLuksHeader raw = encode_luks_header({});
  EXPECT_TRUE(decode_luks_header(bytes_of(raw)).has_value());
  EXPECT_FALSE(decode_luks_header(bytes_of(raw).first(591)).has_value());
  for (std::size_t at = 0; at < 6; ++at) {
    std::vector<std::byte> other(bytes_of(raw).begin(), bytes_of(raw).end());
    other[at] ^= std::byte{0x20};
    EXPECT_FALSE(decode_luks_header(other).has_value()) << at;
  }
}

// Offsets and values from the LUKS1 on-disk format: phdr, and key slot 0 at byte 208.
TEST(LuksHeader, golden_bytes_decode_to_their_fields) {
  std::vector<std::byte> bytes(592);
  const auto put = [&bytes](std::size_t at, std::string_view hex) {
    std::ranges::copy(from_hex(hex), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  };
  put(0, "4c554b53babe 0001");
  put(8, "616573");                   // aes
  put(40, "7874732d706c61696e3634");  // xts-plain64
  put(72, "736861323536");            // sha256
  put(104, "00001000 00000040");
  put(164, "0000a2c2");
  put(208, "00ac71f3 00012345");
  put(208 + 40, "00000008 00000fa0");
  for (std::size_t slot = 1; slot < 8; ++slot) put(208 + slot * 48, "0000dead");

  LuksHeader expected{.cipher_name = "aes",
                      .cipher_mode = "xts-plain64",
                      .hash_spec = "sha256",
                      .payload_sector = 4096,
                      .key_bytes = 64,
                      .iterations = 0xa2c2,
                      .uuid = ""};
  expected.slots[0] = {.active = kLuksSlotEnabled,
                       .iterations = 0x12345,
                       .salt = {},
                       .key_material_sector = 8,
                       .stripes = 4000};
  EXPECT_EQ(decode_luks_header(bytes), expected);
  EXPECT_EQ(to_hex(bytes_of(encode_luks_header(expected))), to_hex(bytes));
}

}  // namespace
}  // namespace cowvet
