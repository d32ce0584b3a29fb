#include "checker/format/header.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

// A header with any value in every field that its version and length have on disk.
Header any_header(std::uint32_t version, std::uint32_t header_length) {
  Header header{.version = version,
                .backing_file_offset = any_number<std::uint64_t>(),
                .backing_file_size = any_number<std::uint32_t>(),
                .cluster_bits = any_number<std::uint32_t>(),
                .size = any_number<std::uint64_t>(),
                .crypt_method = any_number<std::uint32_t>(),
                .l1_size = any_number<std::uint32_t>(),
                .l1_table_offset = any_number<std::uint64_t>(),
                .refcount_table_offset = any_number<std::uint64_t>(),
                .refcount_table_clusters = any_number<std::uint32_t>(),
                .nb_snapshots = any_number<std::uint32_t>(),
                .snapshots_offset = any_number<std::uint64_t>(),
                .header_length = header_length};
  if (version == 2) return header;
  header.incompatible_features = any_number<std::uint64_t>();
  header.compatible_features = any_number<std::uint64_t>();
  header.autoclear_features = any_number<std::uint64_t>();
  header.refcount_order = any_number<std::uint32_t>();
  if (header_length > kCompressionTypeOffset) header.compression_type = any_number<std::uint8_t>();
  return header;
}

void expect_encode_and_decode_are_inverse(const Header& header) {
  std::array<std::byte, kHeaderKnownBytes> bytes{};
  encode_header(header, bytes);
  const auto decoded = decode_header(bytes);
  RC_ASSERT(decoded.has_value());
  RC_ASSERT(decoded.value() == header);

  std::array<std::byte, kHeaderKnownBytes> again{};
  encode_header(*decoded, again);
  RC_ASSERT(again == bytes);
}

TEST(Header, version_2_survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] { expect_encode_and_decode_are_inverse(any_header(2, kHeaderV2Bytes)); }));
}

class HeaderOfLength : public testing::TestWithParam<std::uint32_t> {};

TEST_P(HeaderOfLength, version_3_survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] { expect_encode_and_decode_are_inverse(any_header(3, GetParam())); }));
}

// Lengths that the specification allows, and those that it does not: decoding does not judge.
INSTANTIATE_TEST_SUITE_P(Length, HeaderOfLength,
                         testing::Values(0, 71, 72, 103, 104, 105, 111, 112, 113, 120, 4096, 0xffffffff),
                         testing::PrintToStringParamName());

TEST(Header, encode_writes_no_more_than_the_header_is_long) {
  EXPECT_TRUE(rc::check([] {
    const auto length = *rc::gen::inRange<std::uint32_t>(0, 300);
    const Header header = any_header(*rc::gen::element(2u, 3u), length);
    std::vector<std::byte> bytes(300, std::byte{0xa5});
    const std::size_t written = encode_header(header, bytes);
    RC_ASSERT(written == (header.version == 2 ? 72 : std::clamp(length, 104u, 112u)));
    RC_ASSERT(std::ranges::all_of(std::span(bytes).subspan(written),
                                  [](std::byte byte) { return byte == std::byte{0xa5}; }));
  }));
}

TEST(Header, compression_type_counts_only_where_the_length_covers_it) {
  std::array<std::byte, kHeaderKnownBytes> bytes{};
  encode_header({.header_length = 112, .compression_type = 1}, bytes);
  EXPECT_EQ(decode_header(bytes).value().compression_type, 1);
  store_big_endian<std::uint32_t>(bytes.data() + 100, 104);
  EXPECT_EQ(decode_header(bytes).value().compression_type, 0);
}

TEST(Header, version_2_has_the_values_that_the_specification_assumes) {
  std::vector<std::byte> bytes(kHeaderKnownBytes, std::byte{0xff});  // what lies behind byte 72 is no header
  encode_header({.version = 2}, bytes);
  const Header header = decode_header(bytes).value();
  EXPECT_EQ(header.refcount_order, 4u);
  EXPECT_EQ(header.header_length, 72u);
  EXPECT_EQ(header.incompatible_features | header.compatible_features | header.autoclear_features, 0u);
  EXPECT_EQ(header.compression_type, 0);
}

TEST(Header, any_shorter_piece_is_truncated) {
  for (const std::uint32_t version : {2u, 3u}) {
    const std::size_t needed = version == 2 ? 72 : 104;
    std::vector<std::byte> bytes(kHeaderKnownBytes);
    encode_header({.version = version}, bytes);
    for (std::size_t size = 0; size < needed; ++size)
      EXPECT_EQ(decode_header(std::span(bytes).first(size)).error(), HeaderError::truncated) << size;
    EXPECT_TRUE(decode_header(std::span(bytes).first(needed)).has_value());
  }
}

TEST(Header, another_magic_or_version_is_an_error) {
  std::array<std::byte, kHeaderKnownBytes> bytes{};
  encode_header({}, bytes);
  for (std::size_t at = 0; at < 4; ++at) {
    auto other = bytes;
    other[at] ^= std::byte{1};
    EXPECT_EQ(decode_header(other).error(), HeaderError::magic);
  }
  for (const std::uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    store_big_endian(bytes.data() + 4, version);
    EXPECT_EQ(decode_header(bytes).error(), HeaderError::version);
  }
}

// Written by hand, field by field, from the table in the specification.
constexpr const char* kVersion3 = R"(
  514649fb 00000003
  0000000000000200 0000000b
  00000010
  0000000040000000
  00000002
  00000002
  0000000000030000
  0000000000010000 00000001
  00000003 0000000000050000
  0000000000000018 0000000000000001 0000000000000003
  00000005
  00000070
  01 00000000000000)";

TEST(Header, golden_bytes_of_version_3_decode_to_their_fields) {
  const Header expected{.version = 3,
                        .backing_file_offset = 0x200,
                        .backing_file_size = 11,
                        .cluster_bits = 16,
                        .size = 1 << 30,
                        .crypt_method = 2,
                        .l1_size = 2,
                        .l1_table_offset = 0x30000,
                        .refcount_table_offset = 0x10000,
                        .refcount_table_clusters = 1,
                        .nb_snapshots = 3,
                        .snapshots_offset = 0x50000,
                        .incompatible_features = kIncompatibleCompression | kIncompatibleExtendedL2,
                        .compatible_features = kCompatibleLazyRefcounts,
                        .autoclear_features = kAutoclearBitmaps | kAutoclearRawData,
                        .refcount_order = 5,
                        .header_length = 112,
                        .compression_type = 1};
  EXPECT_EQ(decode_header(from_hex(kVersion3)).value(), expected);

  std::vector<std::byte> encoded(112);
  EXPECT_EQ(encode_header(expected, encoded), 112u);
  EXPECT_EQ(to_hex(encoded), to_hex(from_hex(kVersion3)));
}

constexpr const char* kVersion2 = R"(
  514649fb 00000002
  0000000000000000 00000000
  00000009
  0000000000100000
  00000000
  00000020
  0000000000000600
  0000000000000200 00000002
  00000000 0000000000000000)";

TEST(Header, golden_bytes_of_version_2_decode_to_their_fields) {
  const Header expected{.version = 2,
                        .cluster_bits = 9,
                        .size = 1 << 20,
                        .l1_size = 32,
                        .l1_table_offset = 0x600,
                        .refcount_table_offset = 0x200,
                        .refcount_table_clusters = 2,
                        .header_length = 72};
  EXPECT_EQ(decode_header(from_hex(kVersion2)).value(), expected);

  std::vector<std::byte> encoded(72);
  EXPECT_EQ(encode_header(expected, encoded), 72u);
  EXPECT_EQ(to_hex(encoded), to_hex(from_hex(kVersion2)));
}

TEST(Header, feature_bits_are_those_of_the_specification) {
  EXPECT_TRUE(Header{.incompatible_features = 0x01}.is_dirty());
  EXPECT_TRUE(Header{.incompatible_features = 0x02}.is_corrupt());
  EXPECT_TRUE(Header{.incompatible_features = 0x04}.has_data_file());
  EXPECT_TRUE(Header{.incompatible_features = 0x10}.has_extended_l2());
  EXPECT_TRUE(Header{.autoclear_features = 0x01}.has_bitmaps_bit());
  EXPECT_TRUE(Header{.autoclear_features = 0x02}.is_raw_data());
  EXPECT_EQ(kIncompatibleCompression, 0x08u);
  EXPECT_EQ(kCompatibleLazyRefcounts, 0x01u);
}

}  // namespace
}  // namespace cowvet
