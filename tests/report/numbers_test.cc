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

TEST(WithHex, shows_hexadecimal_from_the_size_of_offsets_on) {
  EXPECT_EQ(with_hex(1023), "1023");
  EXPECT_EQ(with_hex(327680), "327680 (0x50000)");
}

TEST(DescribeGuestRange, survives_the_end_of_the_number_line) {
  EXPECT_EQ(describe(GuestRange{0x110000, 0x10000}), "0x110000-0x11ffff (64 KiB at 1.06 MiB)");
  EXPECT_EQ(describe(GuestRange{0, 0}), "0x0-0x0 (0 bytes at 0 bytes)");
  EXPECT_EQ(describe(GuestRange{0xffffffffffffff00, 0x100}),
            "0xffffffffffffff00-0xffffffffffffffff (256 bytes at 15.9 EiB)");
}

}  // namespace
}  // namespace cowvet
