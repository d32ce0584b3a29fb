#include "checker/catalogue/choices.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cowvet {
namespace {

TEST(Choices, are_those_of_the_rule) {
  EXPECT_TRUE(is_outcome(rule("data-file/raw-unmapped"), "trust-raw"));
  EXPECT_FALSE(is_outcome(rule("data-file/raw-unmapped"), "trust"));
  EXPECT_FALSE(is_outcome(rule("data-file/raw-unmapped"), ""));
}

TEST(Choices, that_a_plan_proposes_are_let_through) {
  EXPECT_TRUE(is_outcome(rule("refcount/orphan-mapping"), "0x50000"));
  EXPECT_TRUE(is_outcome(rule("header/l1-outside"), "0x30000"));
  EXPECT_TRUE(is_outcome(rule("l1/shared"), "0x30000"));
  EXPECT_FALSE(is_outcome(rule("header/l1-outside"), ""));
}

TEST(Choices, are_there_for_every_rule_that_is_repaired_by_one) {
  for (const Rule& one : kRules) {
    if (one.remedy == Remedy::choice) {
      EXPECT_TRUE(choices_of(RuleId(find_rule(one.id)))) << one.id;
    }
  }
  EXPECT_FALSE(is_outcome(rule("l2/copied"), "set"));
}

TEST(Choices, are_named_once) {
  for (std::uint16_t row = 0; row < kRuleCount; ++row) {
    const auto choices = choices_of(RuleId(row));
    if (!choices) continue;
    for (const Choice& one : choices->outcomes) {
      EXPECT_EQ(std::ranges::count(choices->outcomes, one.name, &Choice::name), 1) << RuleId(row)->id;
    }
  }
}

}  // namespace
}  // namespace cowvet
