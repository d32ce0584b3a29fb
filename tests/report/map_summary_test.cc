#include "checker/report/map_summary.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <array>

namespace cowvet {
namespace {

TEST(MapSummary, keeps_few_runs_as_they_are) {
  MapSummary summary(100);
  summary.add(2, 5);
  summary.add(2, 1);
  summary.add(0, std::uint64_t{1} << 50);
  summary.add(7, 1);
  EXPECT_EQ(summary.numbers(), "6,4,1125899906842624,1,1,128");
}

TEST(MapSummary, joins_runs_that_share_a_cell_where_there_are_too_many) {
  MapSummary summary(8);
  for (int i = 0; i < 8; ++i) summary.add(static_cast<MapSummary::Kind>(i % 2), 1);
  summary.add(3, 1000);
  // Cells of 8 units: the long run goes on alone.
  EXPECT_EQ(summary.numbers(), "8,3,4,4,1000,8");
}

TEST(MapSummary, keeps_its_bound_and_the_amount_of_each_kind) {
  EXPECT_TRUE(rc::check([] {
    const std::size_t most = *rc::gen::inRange<std::size_t>(64, 400);
    MapSummary summary(most);
    std::array<std::uint64_t, 8> expected{};
    for (int i = *rc::gen::inRange(0, 2000); i > 0; --i) {
      const auto kind = *rc::gen::inRange<std::uint8_t>(0, 8);
      const auto units = *rc::gen::inRange<std::uint64_t>(0, 50);
      expected[kind] += units;
      summary.add(kind, units);
    }
    std::array<std::uint64_t, 8> found{};
    std::uint64_t end = 0;
    for (const MapSummary::Segment& segment : summary.segments()) {
      RC_ASSERT(segment.begin == end);
      std::uint64_t units = 0;
      for (const auto& [kind, share] : segment.shares) {
        found[kind] += share;
        units += share;
      }
      RC_ASSERT(units == segment.units);
      end += units;
    }
    RC_ASSERT(found == expected);
    const std::string numbers = summary.numbers();
    RC_ASSERT(static_cast<std::size_t>(std::ranges::count(numbers, ',')) < most);
  }));
}

}  // namespace
}  // namespace cowvet
