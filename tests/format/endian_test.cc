#include "checker/format/endian.h"

#include <gtest/gtest.h>

#include <array>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

template <typename T>
class BigEndianNumber : public testing::Test {};
using Widths = testing::Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;
TYPED_TEST_SUITE(BigEndianNumber, Widths);

TYPED_TEST(BigEndianNumber, is_what_was_stored) {
  EXPECT_TRUE(rc::check([] {
    const auto value = any_number<TypeParam>();
    const BigEndian<TypeParam> stored(value);
    RC_ASSERT(static_cast<TypeParam>(stored) == value);
    RC_ASSERT(load_big_endian<TypeParam>(&stored) == value);
  }));
}

TYPED_TEST(BigEndianNumber, has_its_most_significant_byte_first) {
  EXPECT_TRUE(rc::check([] {
    const auto value = any_number<TypeParam>();
    std::array<unsigned char, sizeof(TypeParam)> bytes{};
    store_big_endian(bytes.data(), value);
    std::uint64_t sum = 0;
    for (const unsigned char byte : bytes) sum = sum << 8 | byte;
    RC_ASSERT(sum == value);
  }));
}

TYPED_TEST(BigEndianNumber, may_lie_at_any_address) {
  EXPECT_TRUE(rc::check([] {
    const auto value = any_number<TypeParam>();
    const auto at = *rc::gen::inRange<std::size_t>(0, 9);
    std::array<unsigned char, 32> bytes{};
    store_big_endian(bytes.data() + at, value);
    RC_ASSERT(load_big_endian<TypeParam>(bytes.data() + at) == value);
    for (std::size_t i = 0; i < bytes.size(); ++i)
      if (i < at || i >= at + sizeof(TypeParam)) RC_ASSERT(bytes[i] == 0);
  }));
}

}  // namespace
}  // namespace cowvet
