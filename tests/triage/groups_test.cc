#include "checker/triage/groups.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "checker/triage/triage_report.h"

namespace cowvet {
namespace {

const std::vector<ImageResult> kResults = {
    {.path = "d", .size_bytes = 7, .outcome = Outcome::sound, .signature = "sound v3"},
    {.path = "c", .size_bytes = 5, .outcome = Outcome::corrupt, .signature = "corrupt v3: x"},
    {.path = "b", .size_bytes = 5, .outcome = Outcome::corrupt, .signature = "corrupt v3: x"},
    {.path = "a", .size_bytes = 9, .outcome = Outcome::corrupt, .signature = "corrupt v3: x"},
    {.path = "e", .size_bytes = 1, .outcome = Outcome::corrupt, .signature = "corrupt v3: y"},
};

Groups groups_of(const std::vector<ImageResult>& results) {
  Groups groups;
  for (const ImageResult& result : results) groups.add(result);
  return groups;
}

TEST(Groups, hold_the_size_and_the_smallest_member) {
  const auto sorted = groups_of(kResults).sorted();
  ASSERT_EQ(sorted.size(), 3u);
  EXPECT_EQ(sorted[0].signature, "corrupt v3: x");
  EXPECT_EQ(sorted[0].images, 3u);
  EXPECT_EQ(sorted[0].smallest, "b");
  EXPECT_EQ(sorted[0].smallest_bytes, 5u);
  EXPECT_EQ(sorted[1].smallest, "e");
  EXPECT_EQ(sorted[2].signature, "sound v3");
}

TEST(Groups, are_the_same_in_any_order) {
  std::vector<ImageResult> results = kResults;
  const std::string expected = triage_json(groups_of(results), true);
  std::ranges::sort(results, {}, &ImageResult::path);
  do EXPECT_EQ(triage_json(groups_of(results), true), expected);
  while (std::ranges::next_permutation(results, {}, &ImageResult::path).found);
}

TEST(Groups, give_the_status_of_the_worst_image) {
  EXPECT_EQ(Groups().exit_status(), 0);
  EXPECT_EQ(groups_of({{.outcome = Outcome::sound}, {.outcome = Outcome::leaks}}).exit_status(), 3);
  EXPECT_EQ(groups_of({{.outcome = Outcome::not_qcow2}, {.outcome = Outcome::leaks}}).exit_status(), 63);
  EXPECT_EQ(groups_of(kResults).exit_status(), 2);
  for (const Outcome outcome :
       {Outcome::crashed, Outcome::timeout, Outcome::out_of_memory, Outcome::unreadable})
    EXPECT_EQ(groups_of({{.outcome = outcome}, {.outcome = Outcome::corrupt}}).exit_status(), 1);
}

TEST(ImageResultLine, can_be_read_back) {
  ImageResult result = kResults[1];
  result.leaks = 3;
  result.kept_leaks = 2;
  result.detail = "a \"detail\"\n";
  const auto read = parse_result(nlohmann::json::parse(result_line(result)));
  ASSERT_TRUE(read);
  EXPECT_EQ(result_line(*read), result_line(result));
  EXPECT_EQ(read->kept_leaks, 2u);
  for (std::size_t at = 0; at < kOutcomes; ++at) {
    const auto outcome = static_cast<Outcome>(at);
    EXPECT_EQ(parse_outcome(to_string(outcome)), outcome);
  }
}

TEST(ImageResultLine, is_refused_where_a_member_is_wrong) {
  const auto good = nlohmann::json::parse(result_line(kResults[0]));
  for (const auto& [key, value] : good.items()) {
    auto bad = good;
    bad.erase(key);
    EXPECT_FALSE(parse_result(bad)) << key;
    bad[key] = nlohmann::json::array();
    EXPECT_FALSE(parse_result(bad)) << key;
  }
  EXPECT_FALSE(parse_result(nlohmann::json::array()));
  EXPECT_FALSE(parse_result(nlohmann::json(nlohmann::json::value_t::discarded)));
}

TEST(TriageTable, lets_nothing_control_the_terminal) {
  const Groups groups = groups_of({{.path = "\x1b[2J", .outcome = Outcome::sound, .signature = "sound v3"}});
  EXPECT_EQ(triage_table(groups).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cowvet
