// Every damaged recipe with a remedy, repaired on disk in every mode.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/repair/proven_repair.h"

namespace cowvet {
namespace {

// Whether the image is sound afterwards, as far as the recipe's rule goes.
bool is_healed_by(const RepairMode& mode, const corpus::Recipe& recipe, const corpus::BuiltImage& built) {
  ProvenRepair repair(recipe, built, mode);
  repair.allow_refusal(qemu_refusal(recipe));
  const auto& plan = repair.plan();
  if (!plan) return false;
  EXPECT_EQ(plan->unfit.empty(), why_unfit(recipe, mode).empty()) << plan->unfit;
  if (plan->empty() || !plan->unfit.empty()) return false;
  return repair.carry_out() && std::ranges::none_of(plan->remaining, [&](const RuleTotal& total) {
           return total.rule == *recipe.rule;
         });
}

class RecipeRepairs : public testing::TestWithParam<std::size_t> {};

TEST_P(RecipeRepairs, hold_on_disk_and_for_qemu) {
  const corpus::Recipe& recipe = all_recipes()[GetParam()];
  const corpus::BuiltImage built = corpus::build(recipe).value();
  if (!built.unreadable.empty()) GTEST_SKIP() << "bad places of a storage cannot be put into a file";
  bool is_healed = false;
  bool is_healed_unasked = false;
  for (const RepairMode& mode : repair_modes_of(recipe)) {
    SCOPED_TRACE(recipe.name + ", " + mode.name);
    if (!is_healed_by(mode, recipe, built)) continue;
    is_healed = true;
    is_healed_unasked |= !mode.is_choice;
  }
  EXPECT_EQ(is_healed, recipe.why_no_remedy.empty()) << recipe.why_no_remedy;
  EXPECT_TRUE(is_healed_unasked || !is_healed || !why_chosen(recipe).empty());
}

INSTANTIATE_TEST_SUITE_P(all, RecipeRepairs, testing::ValuesIn(repairable_recipes()),
                         [](const auto& param) { return test_name_of(all_recipes()[param.param]); });

}  // namespace
}  // namespace cowvet
