// Catalogue and corpus speak of the same rules: each has at least one image that breaks it and one that only
// seems to.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

using Rules = std::set<std::string_view>;

Rules all_rules() {
  Rules ids;
  for (const Rule& rule : kRules) ids.insert(rule.id);
  return ids;
}

// Rules that no single image can break, and why.
const std::map<std::string_view, std::string_view>& rules_without_recipes() {
  static const std::map<std::string_view, std::string_view> rules = {
      {"data-file/shared", "needs two images"},
      {"file/changed", "needs somebody who writes meanwhile: tests/cli/evidence_test.cc"},
  };
  return rules;
}

Rules rules_of(Kind kind) {
  Rules ids;
  for (const Recipe& recipe : all_recipes())
    if (recipe.kind == kind && recipe.rule) ids.insert((*recipe.rule)->id);
  for (const auto& [id, why] : rules_without_recipes()) ids.insert(id);
  return ids;
}

TEST(Corpus, has_a_damaged_image_for_every_rule) {
  EXPECT_EQ(rules_of(Kind::damaged), all_rules());
}

TEST(Corpus, has_a_near_miss_for_every_rule) {
  EXPECT_EQ(rules_of(Kind::near_miss), all_rules());
}

TEST(Corpus, has_recipes_for_none_of_the_rules_that_cannot_have_one) {
  for (const Recipe& recipe : all_recipes())
    EXPECT_FALSE(recipe.rule && rules_without_recipes().contains((*recipe.rule)->id)) << recipe.name;
}

TEST(Corpus, expects_the_severity_that_decides_the_status) {
  for (const Recipe& recipe : all_recipes()) {
    Severity worst = Severity::notice;
    for (const Expectation& expectation : recipe.expectations)
      if (expectation.required)
        worst = std::max(worst, expectation.severity.value_or(expectation.rule->severity));
    const std::map<Severity, int> statuses = {
        {Severity::notice, 0}, {Severity::leak, 3}, {Severity::corruption, 2}, {Severity::unchecked, 1}};
    // What is no qcow2 image at all has a status of its own.
    const int status = recipe.expected_status == 63 ? 1 : recipe.expected_status;
    EXPECT_EQ(statuses.at(worst), status) << recipe.name;
  }
}

}  // namespace
}  // namespace cowvet::corpus
