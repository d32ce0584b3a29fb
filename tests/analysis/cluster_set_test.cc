#include "checker/analysis/cluster_set.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>
#include <utility>
#include <vector>

namespace cowvet {
namespace {

TEST(ClusterSet, runs_are_maximal_and_in_order) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint16_t>& starts, std::uint8_t length) {
    ClusterSet set;
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
  }));
}

TEST(ClusterSet, merged_sets_hold_both_and_runs_cross_32_bits) {
  constexpr std::uint64_t kEdge = std::uint64_t{1} << 32;
  ClusterSet set;
  set.add(kEdge - 70, 70);
  ClusterSet other;
  other.add(kEdge, 130);
  set.merge(other);
  int runs = 0;
  set.for_each_run([&runs](std::uint64_t first, std::uint64_t count) {
    EXPECT_EQ(first, kEdge - 70);
    EXPECT_EQ(count, 200u);
    ++runs;
  });
  EXPECT_EQ(runs, 1);
  EXPECT_FALSE(set.contains(kEdge - 71));
  EXPECT_FALSE(set.contains(kEdge + 130));
}

}  // namespace
}  // namespace cowvet
