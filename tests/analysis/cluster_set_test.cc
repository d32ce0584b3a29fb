#include "checker/analysis/cluster_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <utility>
#include <vector>

namespace cowvet {
namespace {

TEST(ClusterSet, runs_are_maximal_and_in_order) {
  rc::check([](const std::vector<std::uint16_t>& starts, std::uint8_t length) {
    ClusterSet set(4 * kChunkClusters);
    std::set<std::uint64_t> model;
    for (const std::uint64_t start : starts) {
      set.add(start, length);
      for (std::uint64_t i = 0; i < length; ++i) model.insert(start + i);
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> expected;
    for (const std::uint64_t cluster : model) {
      if (!expected.empty() && expected.back().first + expected.back().second == cluster) {
        ++expected.back().second;
      } else {
        expected.emplace_back(cluster, 1);
      }
      RC_ASSERT(set.contains(cluster));
    }
    std::vector<std::pair<std::uint64_t, std::uint64_t>> runs;
    set.for_each_run([&runs](std::uint64_t first, std::uint64_t count) { runs.emplace_back(first, count); });
    RC_ASSERT(runs == expected);
    RC_ASSERT(set.empty() == model.empty());
  });
}

TEST(ClusterSet, a_run_crosses_chunks) {
  ClusterSet set(4 * kChunkClusters);
  set.add(kChunkClusters - 70, 200);
  int runs = 0;
  set.for_each_run([&runs](std::uint64_t first, std::uint64_t count) {
    EXPECT_EQ(first, kChunkClusters - 70);
    EXPECT_EQ(count, 200u);
    ++runs;
  });
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(set.contains(kChunkClusters - 71));
  EXPECT_FALSE(set.contains(kChunkClusters + 130));
}

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
