// Every recipe: the checker finds what the recipe expects and nothing else, whatever the number of threads.
#include <gtest/gtest.h>

#include "checker/report/verdict.h"
#include "corpus/compare_findings.h"
#include "corpus/examine.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

std::string all_findings(const Report& report) {
  std::string out;
  for (const Finding& finding : report.findings) out += "  " + describe(finding) + '\n';
  return out.empty() ? "  none\n" : out;
}

class Recipes : public testing::TestWithParam<std::string> {};

TEST_P(Recipes, the_checker_finds_what_is_expected_and_nothing_else) {
  const Recipe& recipe = recipe_named(GetParam());
  const auto built = build(recipe);
  ASSERT_TRUE(built) << built.error().text();
  const Report report = examine(recipe, *built, 1);
  EXPECT_EQ(compare_findings(recipe, *built, report), "") << recipe.text << "found:\n"
                                                          << all_findings(report);
  EXPECT_EQ(exit_status_of(report, {}), recipe.expected_status) << recipe.text << "found:\n"
                                                                << all_findings(report);
  EXPECT_EQ(all_findings(examine(recipe, *built, 3)), all_findings(report)) << "with three threads\n"
                                                                            << recipe.text;
}

INSTANTIATE_TEST_SUITE_P(all, Recipes, testing::ValuesIn(recipe_names([](const Recipe&) { return true; })),
                         test_name);

}  // namespace
}  // namespace cowvet::corpus
