#include "checker/planning/plan_file.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>

namespace cowvet {
namespace {

std::vector<std::byte> bytes_of(const std::string& text) {
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

Plan example() {
  Plan plan{.image = {"a.qcow2", 65536, FileIdentity{1, 2}, 0xfedcba9876543210},
            .data_file = Binding{"data", 4096, std::nullopt, 0},
            .image_bytes_after = 131072,
            .data_file_bytes_after = 4096};
  plan.steps.push_back({.rule = rule("l2/outside"), .remedy = Remedy::lossy, .why = "gone", .count = 2});
  plan.steps.back().impact.push_back({{0, 512}, "snapshot 1 (x)", "an error", "zeros"});
  plan.steps.back().writes.push_back({File::image, 16, bytes_of("12345678"), bytes_of("abcdefgh")});
  plan.steps.push_back({.rule = rule("refcount/too-low"), .why = "count", .phase = Phase::structures});
  plan.steps.back().writes.push_back(
      {File::data_file, 0, std::vector<std::byte>(4096), std::vector<std::byte>(4096, std::byte{7})});
  plan.remaining.push_back({rule("file/trailing"), 1, 1});
  plan.consent_needed = {"l2/outside: needs --allow lossy"};
  return plan;
}

std::string text_of(const Plan& plan) {
  std::ostringstream out;
  write_plan(plan, out);
  return out.str();
}

std::expected<Plan, std::string> parse(const std::string& text) {
  std::istringstream in(text);
  return read_plan(in);
}

TEST(PlanFile, reads_what_it_wrote) {
  const Plan plan = example();
  const Plan read = parse(text_of(plan)).value();
  EXPECT_EQ(read.image, plan.image);
  EXPECT_EQ(read.data_file, plan.data_file);
  EXPECT_EQ(read.image_bytes_after, plan.image_bytes_after);
  ASSERT_EQ(read.steps.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.steps[i].rule, plan.steps[i].rule);
    EXPECT_EQ(read.steps[i].remedy, plan.steps[i].remedy);
    EXPECT_EQ(read.steps[i].phase, plan.steps[i].phase);
    EXPECT_EQ(read.steps[i].count, plan.steps[i].count);
    EXPECT_EQ(read.steps[i].impact, plan.steps[i].impact);
    EXPECT_EQ(read.steps[i].writes, plan.steps[i].writes);
  }
  EXPECT_EQ(read.consent_needed, plan.consent_needed);
  EXPECT_EQ(text_of(read), text_of(plan));
}

TEST(PlanFile, any_bytes_survive) {
  rc::check([](const std::string& unit, std::uint8_t times) {
    std::string repeated;
    for (int i = 0; i < times % 9 + 1; ++i) repeated += unit;
    Plan plan;
    plan.steps.push_back(
        {.rule = rule("l2/copied"), .writes = {{File::image, 1, bytes_of(repeated), bytes_of(repeated)}}});
    RC_ASSERT(parse(text_of(plan)).value().steps[0].writes == plan.steps[0].writes);
  });
}

TEST(PlanFile, refuses_numbers_that_count_nothing) {
  const std::string text = text_of(example());
  for (const char* number : {"1.5", "-1", "18446744073709551616", "1e300", "\"1\""}) {
    std::string changed = text;
    changed.replace(changed.find("\"count\":2") + 8, 1, number);
    EXPECT_EQ(parse(changed).error(), "line 2: count is not a whole number") << number;
  }
}

TEST(PlanFile, every_cut_is_refused) {
  const std::string text = text_of(example());
  for (std::size_t length = 0; length + 1 < text.size(); ++length)
    EXPECT_FALSE(parse(text.substr(0, length)).has_value()) << length;
}

TEST(PlanFile, damage_is_refused_with_its_line_or_changes_only_words) {
  const std::string text = text_of(example());
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x15);
    const auto plan = parse(damaged);
    if (plan) continue;
    const std::string& error = plan.error();
    EXPECT_TRUE(error.starts_with("line ") || error == "the plan ends before its last line") << error;
  }
}

}  // namespace
}  // namespace cowvet
