#include "checker/analysis/progress.h"

#include <gtest/gtest.h>

namespace cowvet {
namespace {

TEST(Progress, tells_once_that_a_pass_is_long) {
  Progress progress;
  int told = 0;
  progress.when_long = [&told] { ++told; };
  progress.begin("walk_l2_tables", Progress::kFewUnits);
  EXPECT_EQ(told, 0);
  progress.begin("compare_refcounts", Progress::kFewUnits + 1);
  EXPECT_EQ(told, 1);
  progress.begin("check_raw_data", 1'000'000);
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace cowvet
