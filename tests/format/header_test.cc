#include "checker/format/header.h"

#include <gtest/gtest.h>

#include <array>

namespace cowvet {
namespace {

TEST(Header, encode_then_decode_gives_the_same_header) {
  Header header{.size = 1 << 20, .l1_size = 1, .l1_table_offset = 0x30000};
  std::array<std::byte, kHeaderKnownBytes> bytes{};
  EXPECT_EQ(encode_header(header, bytes), kHeaderV3Bytes);
  EXPECT_EQ(decode_header(bytes).value(), header);
}

}  // namespace
}  // namespace cowvet
