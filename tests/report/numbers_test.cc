#include "checker/report/numbers.h"

#include <gtest/gtest.h>

namespace cowvet {
namespace {

TEST(HumanBytes, whole_numbers_stay_whole) {
  EXPECT_EQ(human_bytes(0), "0 bytes");
  EXPECT_EQ(human_bytes(1), "1 byte");
  EXPECT_EQ(human_bytes(1023), "1023 bytes");
  EXPECT_EQ(human_bytes(65536), "64 KiB");
  EXPECT_EQ(human_bytes(std::uint64_t{1} << 60), "1 EiB");
}

TEST(HumanBytes, fractions_have_three_digits_and_are_never_rounded_up) {
  EXPECT_EQ(human_bytes(1100), "1.07 KiB");
  EXPECT_EQ(human_bytes(1025), "1.00 KiB");
  EXPECT_EQ(human_bytes(12 * 1024 + 512), "12.5 KiB");
  EXPECT_EQ(human_bytes((1 << 20) - 1), "1023 KiB");
  EXPECT_EQ(human_bytes(~std::uint64_t{0}), "15.9 EiB");
}

TEST(PlainOrHex, shows_hexadecimal_from_the_size_of_offsets_on) {
  EXPECT_EQ(plain_or_hex(4095), "4095");
  EXPECT_EQ(plain_or_hex(327680), "0x50000");
}

TEST(Says, finds_a_number_only_as_a_word_of_its_own) {
  EXPECT_TRUE(says("refcount 2, references 1", 1));
  EXPECT_TRUE(says("at 0x50000", 0x50000));
  EXPECT_TRUE(says("7", 7));
  EXPECT_FALSE(says("refcount 21, L1", 1));
  EXPECT_FALSE(says("at 0x500001", 0x50000));
}

TEST(DescribeGuestRange, survives_the_end_of_the_number_line) {
  EXPECT_EQ(describe(GuestRange{0x110000, 0x10000}), "0x110000-0x11ffff (64 KiB at 1.06 MiB)");
  EXPECT_EQ(describe(GuestRange{0, 0}), "0x0-0x0 (0 bytes at 0 bytes)");
  EXPECT_EQ(describe(GuestRange{0xffffffffffffff00, 0x100}),
            "0xffffffffffffff00-0xffffffffffffffff (256 bytes at 15.9 EiB)");
}

}  // namespace
}  // namespace cowvet
