// Operations fail in repairs of the corpus.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/repair/failing.h"
#include "tests/repair/recipe_image.h"
#include "tests/repair/recipe_machine.h"

namespace cowvet {
namespace {

class RecipeFault : public testing::TestWithParam<std::size_t> {
 protected:
  static void TearDownTestSuite() {
    fmt::print("{} runs of repairs in which operations failed\n", failures_);
  }
  static inline std::uint64_t failures_ = 0;
};

TEST_P(RecipeFault, is_never_silent) {
  constexpr int kCodes[] = {EIO, ENOSPC, EDQUOT};
  const corpus::Recipe& recipe = all_recipes()[GetParam()];
  const Machine start = machine_of(recipe, corpus::build(recipe).value());
  for (const RecipeRepair& repair : plans_for(recipe, start)) {
    SCOPED_TRACE(recipe.name + ", " + repair.mode);
    Failing failing(start, repair.plan);
    for (const bool for_good : {false, true}) {
      failing.fail_every_operation(kCodes[(GetParam() + for_good) % std::size(kCodes)], for_good);
      failing.fail_every_read(EIO, for_good);
      failing.fail_every_operation_of_recovery(1 + GetParam() % failing.operations(), EIO, for_good);
      failing.fail_every_read_of_recovery(1 + GetParam() % failing.operations(), EIO, for_good);
    }
    EXPECT_GT(failing.failures(), 2 * failing.operations());
    failures_ += failing.failures();
  }
}

INSTANTIATE_TEST_SUITE_P(all, RecipeFault, testing::ValuesIn(repairable_recipes()),
                         [](const auto& param) { return test_name_of(all_recipes()[param.param]); });

}  // namespace
}  // namespace cowvet
