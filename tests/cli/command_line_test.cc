#include "checker/cli/command_line.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace cowvet {
namespace {

TEST(ParseNumber, takes_decimal_numbers_and_nothing_else) {
  EXPECT_EQ(parse_number("x", "0"), 0);
  EXPECT_EQ(parse_number("x", "18446744073709551615"), ~std::uint64_t{0});
  for (const char* text : {"", " 1", "1 ", "-1", "+1", "0x10", "1.5", "18446744073709551616", "1k"})
    EXPECT_FALSE(parse_number("x", text).has_value()) << text;
  EXPECT_EQ(parse_number("limit", "abc").error(), "--limit takes a number, not 'abc'");
}

TEST(ParseNumber, reads_back_every_number) {
  EXPECT_TRUE(rc::check(
      [](std::uint64_t value) { RC_ASSERT(parse_number("x", std::to_string(value)).value() == value); }));
}

TEST(ParseSize, knows_powers_of_1024) {
  EXPECT_EQ(parse_size("x", "17"), 17);
  EXPECT_EQ(parse_size("x", "1k"), 1024);
  EXPECT_EQ(parse_size("x", "512M"), 512 << 20);
  EXPECT_EQ(parse_size("x", "2G"), std::uint64_t{2} << 30);
  EXPECT_EQ(parse_size("x", "16777215T"), std::uint64_t{16777215} << 40);
  for (const char* text : {"", "M", "1Q", "1KB", "-1M", "16777216T", "1.5G"})
    EXPECT_FALSE(parse_size("x", text).has_value()) << text;
}

}  // namespace
}  // namespace cowvet
