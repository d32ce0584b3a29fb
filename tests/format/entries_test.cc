#include "checker/format/entries.h"

#include <gtest/gtest.h>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

// What an entry's accessors see, put together again, is the entry: no bit is missed and none is seen twice.
TEST(TableEntry, fields_cover_every_bit_once) {
  EXPECT_TRUE(rc::check([] {
    const auto raw = any_number<std::uint64_t>();
    const L1Entry l1{raw};
    RC_ASSERT(l1.l2_offset() + l1.reserved() + (l1.copied() ? kCopied : 0) == raw);
    const L2Entry l2{raw};
    RC_ASSERT(l2.host_offset() + l2.reserved() + (l2.copied() ? kCopied : 0) +
                  (l2.compressed() ? kCompressed : 0) + (l2.zero() ? 1 : 0) ==
              raw);
    const RefcountTableEntry block{raw};
    RC_ASSERT(block.block_offset() + block.reserved() == raw);
    const SubclusterBitmap subclusters{raw};
    RC_ASSERT((std::uint64_t{subclusters.zero()} << 32) + subclusters.allocated() == raw);
  }));
}

TEST(TableEntry, bitmap_entry_has_bit_0_reserved_only_behind_an_offset) {
  EXPECT_TRUE(rc::check([] {
    const BitmapTableEntry entry{any_number<std::uint64_t>()};
    const std::uint64_t bit_0 = entry.host_offset() == 0 ? entry.raw & 1 : 0;
    RC_ASSERT(entry.host_offset() + entry.reserved() + bit_0 == entry.raw);
  }));
  EXPECT_EQ(BitmapTableEntry{1}.reserved(), 0u);
  EXPECT_EQ(BitmapTableEntry{0x10001}.reserved(), 1u);
}

TEST(TableEntry, golden_entries_mean_what_the_specification_says) {
  const L1Entry l1{0x8000000000040000};
  EXPECT_TRUE(l1.copied());
  EXPECT_EQ(l1.l2_offset(), 0x40000u);
  EXPECT_EQ(L1Entry{0x7f000000000001ff}.reserved(), 0x7f000000000001ffu);

  const L2Entry preallocated_zero{0x8000000000050001};
  EXPECT_TRUE(preallocated_zero.copied());
  EXPECT_TRUE(preallocated_zero.zero());
  EXPECT_FALSE(preallocated_zero.compressed());
  EXPECT_EQ(preallocated_zero.host_offset(), 0x50000u);
  EXPECT_EQ(preallocated_zero.reserved(), 0u);
  EXPECT_EQ(L2Entry{0x3f000000000001fe}.reserved(), 0x3f000000000001feu);

  const SubclusterBitmap subclusters{0x8000000300000005};
  EXPECT_EQ(subclusters.allocated(), 0x00000005u);
  EXPECT_EQ(subclusters.zero(), 0x80000003u);
  EXPECT_EQ(subclusters.conflict(), 0x00000001u);
}

class CompressedEntry : public testing::TestWithParam<unsigned> {};

TEST_P(CompressedEntry, survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    const unsigned bits = GetParam();
    const unsigned x = 62 - (bits - 8);
    const CompressedDescriptor at{
        .offset = any_number<std::uint64_t>() & ((std::uint64_t{1} << x) - 1),
        .additional_sectors = any_number<std::uint64_t>() & ((std::uint64_t{1} << (62 - x)) - 1)};
    const L2Entry entry = encode_compressed(at, bits);
    RC_ASSERT(entry.compressed());
    RC_ASSERT(!entry.copied());
    RC_ASSERT(decode_compressed(entry, bits) == at);
  }));
}

TEST_P(CompressedEntry, every_descriptor_is_decoded_without_loss) {
  EXPECT_TRUE(rc::check([] {
    const L2Entry entry{(any_number<std::uint64_t>() | kCompressed) & ~kCopied};
    RC_ASSERT(encode_compressed(decode_compressed(entry, GetParam()), GetParam()).raw == entry.raw);
  }));
}

TEST_P(CompressedEntry, copied_bit_is_no_part_of_the_descriptor) {
  const CompressedDescriptor at{.offset = 0x12345, .additional_sectors = 1};
  const L2Entry entry{encode_compressed(at, GetParam()).raw | kCopied};
  EXPECT_EQ(decode_compressed(entry, GetParam()), at);
}

TEST_P(CompressedEntry, ends_behind_its_last_sector) {
  EXPECT_TRUE(rc::check([] {
    const CompressedDescriptor at{.offset = *rc::gen::inRange<std::uint64_t>(0, 1 << 20),
                                  .additional_sectors = *rc::gen::inRange<std::uint64_t>(0, 64)};
    RC_ASSERT(at.end() % 512 == 0);
    RC_ASSERT(at.end() > at.offset + at.additional_sectors * 512);
    RC_ASSERT(at.end() - 512 <= at.offset + at.additional_sectors * 512);
  }));
}

INSTANTIATE_TEST_SUITE_P(ClusterBits, CompressedEntry, testing::Range(9u, 22u),
                         testing::PrintToStringParamName());

TEST(CompressedEntry, golden_descriptors_for_small_and_large_clusters) {
  // cluster_bits 16: x = 54; three additional sectors, byte 0x51234.
  EXPECT_EQ(decode_compressed({0x40c0000000051234}, 16), (CompressedDescriptor{0x51234, 3}));
  // cluster_bits 9: x = 61; one additional sector, byte 0x601.
  EXPECT_EQ(decode_compressed({0x6000000000000601}, 9), (CompressedDescriptor{0x601, 1}));
  // cluster_bits 21: x = 49; 4096 additional sectors.
  EXPECT_EQ(decode_compressed({0x6000000000200000}, 21), (CompressedDescriptor{0x200000, 4096}));
}

TEST(CompressedEntry, offset_bits_beyond_55_are_reserved) {
  EXPECT_EQ(compressed_reserved(encode_compressed({.offset = 0x00ffffffffffffff}, 9), 9), 0u);
  EXPECT_EQ(compressed_reserved(encode_compressed({.offset = 0x0100000000000000}, 9), 9),
            0x0100000000000000u);
  EXPECT_EQ(compressed_reserved(encode_compressed({.offset = (std::uint64_t{1} << 49) - 1}, 21), 21), 0u);
}

}  // namespace
}  // namespace cowvet
