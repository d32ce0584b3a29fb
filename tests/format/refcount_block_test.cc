#include "checker/format/refcount_block.h"

#include <gtest/gtest.h>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

constexpr unsigned kClusterBits = 9;

class RefcountBlock : public testing::TestWithParam<unsigned> {
 protected:
  static std::uint64_t any_refcount() { return any_number<std::uint64_t>() & max_refcount(GetParam()); }
  static std::vector<std::byte> any_block() {
    std::vector<std::byte> block = any_bytes(1 << kClusterBits);
    block.resize(1 << kClusterBits, std::byte{0x5a});
    return block;
  }
};

TEST_P(RefcountBlock, gives_back_what_was_set_and_leaves_every_neighbour) {
  EXPECT_TRUE(rc::check([] {
    const unsigned order = GetParam();
    const std::uint64_t entries = refcounts_per_block(kClusterBits, order);
    const std::vector<std::byte> before = any_block();
    const auto index = *rc::gen::inRange<std::uint64_t>(0, entries);
    const std::uint64_t value = any_refcount();

    std::vector<std::byte> after = before;
    set_refcount(after, order, index, value);
    for (std::uint64_t i = 0; i < entries; ++i)
      RC_ASSERT(get_refcount(after, order, i) == (i == index ? value : get_refcount(before, order, i)));
  }));
}

TEST_P(RefcountBlock, rebuilt_entry_by_entry_is_the_same_block) {
  EXPECT_TRUE(rc::check([] {
    const unsigned order = GetParam();
    const std::vector<std::byte> block = any_block();
    std::vector<std::byte> rebuilt(block.size());
    for (std::uint64_t i = 0; i < refcounts_per_block(kClusterBits, order); ++i)
      set_refcount(rebuilt, order, i, get_refcount(block, order, i));
    RC_ASSERT(rebuilt == block);
  }));
}

TEST_P(RefcountBlock, has_a_cluster_full_of_entries) {
  const unsigned refcount_bits = 1u << GetParam();
  for (unsigned cluster_bits = 9; cluster_bits <= 21; ++cluster_bits)
    EXPECT_EQ(refcounts_per_block(cluster_bits, GetParam()) * refcount_bits, 8u << cluster_bits);
}

INSTANTIATE_TEST_SUITE_P(Order, RefcountBlock, testing::Range(0u, 7u), testing::PrintToStringParamName());

TEST(RefcountBlock, holds_at_most_what_its_width_can) {
  EXPECT_EQ(max_refcount(0), 1u);
  EXPECT_EQ(max_refcount(1), 3u);
  EXPECT_EQ(max_refcount(2), 15u);
  EXPECT_EQ(max_refcount(3), 0xffu);
  EXPECT_EQ(max_refcount(4), 0xffffu);
  EXPECT_EQ(max_refcount(5), 0xffffffffu);
  EXPECT_EQ(max_refcount(6), 0xffffffffffffffffu);
}

// "If refcount_bits implies a sub-byte width, note that bit 0 means the least significant bit."
TEST(RefcountBlock, golden_bytes_have_the_first_cluster_lowest_below_a_byte_and_first_above) {
  const auto block = from_hex("e4 21 00 01 00 00 00 02");
  const auto entries = [&block](unsigned order, std::uint64_t count) {
    std::vector<std::uint64_t> found;
    for (std::uint64_t i = 0; i < count; ++i) found.push_back(get_refcount(block, order, i));
    return found;
  };
  using Counts = std::vector<std::uint64_t>;
  EXPECT_EQ(entries(0, 8), (Counts{0, 0, 1, 0, 0, 1, 1, 1}));
  EXPECT_EQ(entries(1, 8), (Counts{0, 1, 2, 3, 1, 0, 2, 0}));
  EXPECT_EQ(entries(2, 4), (Counts{4, 14, 1, 2}));
  EXPECT_EQ(entries(3, 4), (Counts{0xe4, 0x21, 0, 1}));
  EXPECT_EQ(entries(4, 2), (Counts{0xe421, 1}));
  EXPECT_EQ(entries(5, 2), (Counts{0xe4210001, 2}));
  EXPECT_EQ(entries(6, 1), (Counts{0xe421000100000002}));
}

}  // namespace
}  // namespace cowvet
