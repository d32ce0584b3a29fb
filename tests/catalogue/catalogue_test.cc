#include "checker/catalogue/catalogue.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

namespace cowvet {
namespace {

bool is_name(std::string_view text) {
  return !text.empty() && !text.starts_with('-') && !text.ends_with('-') &&
         std::ranges::all_of(
             text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

TEST(Catalogue, ids_are_unique_and_have_a_group_and_a_name) {
  std::set<std::string_view> ids;
  for (const Rule& row : kRules) {
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    const std::size_t slash = row.id.find('/');
    ASSERT_NE(slash, std::string_view::npos) << row.id;
    EXPECT_TRUE(is_name(row.id.substr(0, slash)) && is_name(row.id.substr(slash + 1))) << row.id;
  }
}

TEST(Catalogue, rows_of_a_group_are_together) {
  std::set<std::string_view> groups;
  std::string_view last;
  for (const Rule& row : kRules) {
    const std::string_view group = row.id.substr(0, row.id.find('/'));
    if (group != last) {
      EXPECT_TRUE(groups.insert(group).second) << row.id;
    }
    last = group;
  }
}

TEST(Catalogue, every_text_is_there_and_short_enough_to_be_read) {
  constexpr std::size_t kLongest = 420;
  for (const Rule& row : kRules)
    for (const std::string_view text : {row.condition, row.clause, row.meaning, row.advice}) {
      EXPECT_FALSE(text.empty()) << row.id;
      EXPECT_LE(text.size(), kLongest) << row.id << ": " << text;
    }
}

// The texts are put together in reports: stray blanks or a missing full stop would show there.
TEST(Catalogue, texts_are_plain_sentences) {
  for (const Rule& row : kRules) {
    for (const std::string_view text : {row.condition, row.clause, row.meaning, row.advice}) {
      EXPECT_EQ(text.find("  "), std::string_view::npos) << row.id << ": " << text;
      EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; })) << row.id;
      EXPECT_FALSE(text.starts_with(' ') || text.ends_with(' ')) << row.id << ": " << text;
    }
    for (const std::string_view text : {row.condition, row.meaning, row.advice})
      EXPECT_TRUE(text.ends_with('.')) << row.id << ": " << text;
  }
}

TEST(Catalogue, finds_rows_by_id) {
  EXPECT_EQ(kRules[find_rule("l2/copied")].id, "l2/copied");
  EXPECT_EQ(find_rule("l2/nothing"), kRuleCount);
  EXPECT_EQ(rule("refcount/leak")->severity, Severity::leak);
}

TEST(Catalogue, names_every_severity_and_remedy) {
  for (const Rule& row : kRules) {
    EXPECT_NE(to_string(row.severity), "") << row.id;
    EXPECT_NE(to_string(row.remedy), "") << row.id;
  }
}

}  // namespace
}  // namespace cowvet
