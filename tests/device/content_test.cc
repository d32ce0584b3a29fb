#include "checker/device/content.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "checker/device/memory_device.h"
#include "checker/format/endian.h"

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

// Patterns, tables and noise, one behind the other.
Bytes arbitrary_mixture() {
  Bytes bytes;
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
    const auto length = *rc::gen::inRange<std::size_t>(0, 200);
    const auto first = *rc::gen::arbitrary<std::uint64_t>();
    const auto stride = *rc::gen::element<std::uint64_t>(0, 1, 65536, *rc::gen::arbitrary<std::uint64_t>());
    const auto unit = *rc::gen::element<std::size_t>(1, 2, 3, 8);
    for (std::size_t at = 0; at < length; ++at) {
      std::byte number[8];
      store_big_endian(number, first + at / unit * stride);
      bytes.push_back(number[8 - std::min<std::size_t>(unit, 8) + at % unit]);
    }
  }
  return bytes;
}

Bytes read(const Content& content, std::uint64_t begin, std::uint64_t length, const Bytes& original = {}) {
  Bytes out(length);
  EXPECT_TRUE(content.read(begin, out, MemoryDevice(original)));
  return out;
}

Bytes cut(const Bytes& bytes, std::size_t begin, std::size_t length) {
  const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(begin);
  return {from, from + static_cast<std::ptrdiff_t>(length)};
}

TEST(Content, reads_as_the_bytes_that_it_was_made_of) {
  EXPECT_TRUE(rc::check([] {
    const Bytes bytes = arbitrary_mixture();
    const Content content(bytes);
    RC_ASSERT(content.size() == bytes.size());
    RC_ASSERT(content.bytes() == bytes);
    const auto begin = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
    const auto length = *rc::gen::inRange<std::size_t>(0, bytes.size() - begin + 1);
    RC_ASSERT(read(content, begin, length) == cut(bytes, begin, length));
    RC_ASSERT(content.slice(begin, length).bytes() == cut(bytes, begin, length));
  }));
}

TEST(Content, is_what_was_appended_whatever_became_of_its_pieces) {
  EXPECT_TRUE(rc::check([] {
    Bytes bytes;
    Content content;
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
      const Bytes more = arbitrary_mixture();
      bytes.insert(bytes.end(), more.begin(), more.end());
      content.append(more);
    }
    RC_ASSERT(content.bytes() == bytes);
  }));
}

TEST(Content, names_places_of_the_original) {
  Bytes original(1000);
  for (std::size_t i = 0; i < original.size(); ++i) original[i] = static_cast<std::byte>(i * i);
  Content content = Content::original(100, 500);
  content.append(Content::zeros(10));
  content.append(Content::original(0, 50));
  EXPECT_TRUE(content.has_original());
  EXPECT_EQ(read(content, 0, 500, original), cut(original, 100, 500));
  EXPECT_EQ(read(content.slice(200, 100), 0, 100, original), cut(original, 300, 100));
  EXPECT_EQ(read(content.slice(510, 20), 5, 10, original), cut(original, 5, 10));
}

TEST(Content, holds_nothing_of_patterns_and_tables) {
  Bytes table(65536);
  for (std::uint64_t i = 0; i < table.size() / 8; ++i)
    store_big_endian(table.data() + i * 8, std::uint64_t{0x8000000000050000} + i * 65536);
  for (const Bytes& bytes : {Bytes(65536), Bytes(65536, std::byte{1}), table}) {
    const Content content(bytes);
    EXPECT_EQ(content.held_bytes(), 0u);
    EXPECT_EQ(content.pieces().size(), 1u);
  }
  Content many;
  for (int i = 0; i < 1000; ++i) many.append(Content::zeros(65536));
  EXPECT_EQ(many.pieces().size(), 1u);
}

TEST(Content, is_shared_by_its_slices) {
  Bytes noise(4096);
  std::uint32_t value = 1;
  for (std::byte& byte : noise) byte = static_cast<std::byte>((value = value * 1664525 + 1013904223) >> 24);
  const Content content(noise);
  const Content part = content.slice(10, 100);
  EXPECT_EQ(std::get<LiteralBytes>(part.pieces().front().source).bytes,
            std::get<LiteralBytes>(content.pieces().front().source).bytes);
}

}  // namespace
}  // namespace cowvet
