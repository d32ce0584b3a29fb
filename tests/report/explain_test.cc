#include "checker/report/explain.h"

#include <gmock/gmock.h>

#include <sstream>

namespace cowvet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The words of `text` with one blank between each two.
std::string without_line_breaks(const std::string& text) {
  std::istringstream words(text);
  std::string joined;
  for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

TEST(ExplainRule, says_everything_that_the_catalogue_holds) {
  const RuleId id = rule("l2/copied");
  const std::string text = without_line_breaks(explain_rule(id));
  for (const std::string_view part : {id->id, id->condition, id->clause, id->meaning, id->advice})
    EXPECT_THAT(text, HasSubstr(std::string(part)));
}

TEST(ListRules, has_a_line_for_each_rule) {
  for (const Rule& row : kRules) EXPECT_THAT(list_rules(), HasSubstr(std::string(row.id) + ' '));
}

TEST(CloseRuleIds, finds_what_was_meant) {
  EXPECT_THAT(close_rule_ids("l2/copeid"), ElementsAre("l2/copied"));
  EXPECT_THAT(close_rule_ids("leak"), ElementsAre("refcount/leak"));
  EXPECT_THAT(close_rule_ids("data-file/offset-missmatch"), ElementsAre("data-file/offset-mismatch"));
}

TEST(CloseRuleIds, guesses_nothing_far_fetched) {
  EXPECT_THAT(close_rule_ids("something else"), IsEmpty());
  EXPECT_THAT(close_rule_ids(std::string(100000, 'l')), IsEmpty());
}

}  // namespace
}  // namespace cowvet
