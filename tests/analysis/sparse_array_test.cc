#include "checker/analysis/sparse_array.h"

#include <gtest/gtest.h>

#include <vector>

namespace cowvet {
namespace {

TEST(SparseArray, elements_are_made_once_and_visited_in_order) {
  SparseArray<std::uint64_t> array(std::uint64_t{1} << 40);
  const std::vector<std::uint64_t> indices{0, 63, 64, 4095, 4096, 1u << 30, (std::uint64_t{1} << 40) - 1};
  for (const std::uint64_t index : indices)
    array.find_or_make(index, [index] { return new std::uint64_t(index); });
  for (const std::uint64_t index : indices) {
    ASSERT_NE(array.find(index), nullptr);
    EXPECT_EQ(array.find_or_make(index, [] { return new std::uint64_t(0); }), index);
  }
  EXPECT_EQ(array.find(65), nullptr);
  std::vector<std::uint64_t> visited;
  array.for_each(1, 1u << 30, [&visited](std::uint64_t index, std::uint64_t value) {
    EXPECT_EQ(index, value);
    visited.push_back(index);
  });
  EXPECT_EQ(visited, (std::vector<std::uint64_t>{63, 64, 4095, 4096}));
  array.erase_from(64);
  EXPECT_NE(array.find(63), nullptr);
  EXPECT_EQ(array.find(64), nullptr);
  EXPECT_EQ(array.find(1u << 30), nullptr);
}

}  // namespace
}  // namespace cowvet
