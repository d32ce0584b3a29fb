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
  plan.kept = {{65536, 131072, 0xfedcba9876543210}};
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
  EXPECT_EQ(read.kept, plan.kept);
  EXPECT_EQ(text_of(read), text_of(plan));
}

TEST(PlanFile, any_bytes_survive) {
  EXPECT_TRUE(rc::check([](const std::string& unit, std::uint8_t times) {
    std::string repeated;
    for (int i = 0; i < times % 9 + 1; ++i) repeated += unit;
    Plan plan;
    plan.steps.push_back(
        {.rule = rule("l2/copied"), .writes = {{File::image, 1, bytes_of(repeated), bytes_of(repeated)}}});
    RC_ASSERT(parse(text_of(plan)).value().steps[0].writes == plan.steps[0].writes);
  }));
}

TEST(PlanFile, names_what_repeats_counts_on_or_is_copied) {
  Plan plan = example();
  std::vector<Write>& writes = plan.steps[0].writes;
  Content table = Content::sequence({8, 0x8000000000050000, 65536}, 512);
  table.append(Content::zeros(2));
  writes.push_back({File::image, 4096, Content::original(4096, 4098, 0x1234), table});
  const std::string text = text_of(plan);
  EXPECT_NE(text.find(R"x("old":"copy(4096,4098,0000000000001234)")x"), std::string::npos) << text;
  EXPECT_NE(text.find(R"x("new":"8000000000050000+0000000000010000*512 00*2")x"), std::string::npos) << text;
  EXPECT_EQ(parse(text).value().steps[0].writes, writes);
}

// A plan with a write whose new bytes are `bytes`.
std::string text_with(const std::string& bytes) {
  std::string text = text_of(example());
  const std::string old_text = "\"3132333435363738\"";
  const std::string new_text = "\"6162636465666768\"";
  text.replace(text.find(new_text), new_text.size(), '"' + bytes + '"');
  return text.replace(text.find(old_text), old_text.size(), '"' + bytes + '"');
}

TEST(PlanFile, costs_no_more_than_its_text_whatever_it_asks_for) {
  EXPECT_TRUE(parse(text_with("00*100000")));
  for (const char* bytes : {"00*4294967296", "0001*4611686018427387904", "00*18446744073709551615",
                            "00*18446744073709551616", "copy(0,4294967296,0)",
                            "00*4611686018427387904 00*4611686018427387904", "0001+0001*9223372036854775807"})
    EXPECT_FALSE(parse(text_with(bytes))) << bytes;
  // Many that are allowed each.
  std::string many = text_with("00*100000");
  const std::string write = R"({"target":"image","offset":0,"old":"00*2500000","new":"00*2500000"},)";
  std::string writes;
  for (int i = 0; i < 10; ++i) writes += write;
  many.insert(many.find("\"writes\":[") + 10, writes);
  EXPECT_EQ(parse(many).error(), "line 2: it writes more than there can be to repair");
}

TEST(PlanFile, refuses_growth_that_nothing_is_written_into) {
  Plan plan = example();
  plan.image_bytes_after = std::uint64_t{1} << 40;
  EXPECT_EQ(parse(text_of(plan)).error(), "line 4: it makes the image longer than there can be to write");
}

TEST(PlanFile, refuses_what_is_no_bytes) {
  for (const char* bytes :
       {"0", "0g", "00*", "*5", "00*0", "00*-1", "000000*5", "00+01", "00+0001*5", "00*5*5", "copy(",
        "copy()", "copy(0,1)", "copy(0,0,0)", "copy(0,1,x)", "copy(0,1,0)5", "copy(-1,1,0)", "AB", "00,00"})
    EXPECT_FALSE(parse(text_with(bytes))) << bytes;
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
