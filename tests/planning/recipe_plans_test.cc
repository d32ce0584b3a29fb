// Every recipe through the planner: the plan is fit, applying it leaves exactly what it said, a second plan
// has nothing to do, and a sound image is left alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <sstream>

#include "checker/catalogue/choices.h"
#include "checker/device/memory_device.h"
#include "checker/planning/plan_file.h"
#include "checker/planning/planner.h"
#include "tests/planning/recipe_files.h"
#include "tests/support/carry_out.h"

namespace cowvet {
namespace {

// An image in memory with its data file, to be examined and written to.
struct Bench : RecipeFiles {
  using RecipeFiles::RecipeFiles;

  // Calls use(inputs) with devices over what the files hold now.
  template <typename Use>
  auto with_inputs(Use use) const {
    const MemoryDevice device(image);
    const Inputs inputs{device,
                        [this](const std::string& name) {
                          Companion companion{
                              .state = Companion::State::missing, .path = name, .why = "not there"};
                          if (!data_file) return companion;
                          companion.state = Companion::State::open;
                          companion.device = std::make_unique<MemoryDevice>(*data_file, name);
                          return companion;
                        },
                        {}};
    return use(inputs);
  }
  Plan plan(const PlanOptions& options) const {
    return with_inputs([&](const Inputs& inputs) { return make_plan(inputs, options).value_or(Plan{}); });
  }
  Report check() const {
    return with_inputs([](const Inputs& inputs) { return analyze(inputs, {.findings_per_rule = 0}); });
  }

  void apply(const Plan& plan) { ASSERT_TRUE(carry_out(plan, image, data_file)); }
};

// Groups of rules whose remedies the planner has: of these nothing but what the rules leave to the user may
// be left when every consent is given.
bool is_repairable(RuleId rule_id) {
  constexpr std::string_view kGroups[] = {"l1/",  "l2/",       "data-file/", "refcount/", "header/",
                                          "ext/", "snapshot/", "bitmap/",    "overlap/",  "file/"};
  if (rule_id->remedy == Remedy::none || rule_id == rule("refcount/orphan-mapping") ||
      rule_id == rule("header/magic"))
    return false;
  return std::ranges::any_of(kGroups, [&](std::string_view group) { return rule_id->id.starts_with(group); });
}

// Recipes whose damage nobody but the user can settle: there the plan must say what it needs.
bool is_left_to_user(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "data-file/offset-swapped",             // whose data lies at either place?
      "ext/duplicate-bitmaps",                // which of two bitmap directories?
      "header/backing-name-too-long-1024",    // no shorter name is in the image
      "header/backing-name-too-long-unused",  // is it to be dropped?
      "overlap/two-bitmap-tables",            // whose table is the one that nothing names?
  };
  return std::ranges::find(kNames, name) != std::end(kNames);
}

std::string describe(const std::vector<RuleTotal>& totals) {
  std::string text;
  for (const RuleTotal& total : totals)
    text += std::string(total.rule->id) + " x" + std::to_string(total.total) + "; ";
  return text;
}

bool is_about_leak(const Step& step) {
  return step.rule == rule("refcount/leak");
}
bool keeps_leaks(const Plan& plan) {
  return std::ranges::any_of(plan.consent_needed, [](const std::string& consent) {
    return consent.starts_with("refcount/leak: clusters may hold the true data");
  });
}

// What a plan asks the user to choose is something that --choose takes.
void expect_offers_are_choices(const Plan& plan) {
  static const std::regex kOffer("--choose ([a-z0-9/-]+)(?:=| with one of =)([a-z0-9:@-]+)");
  for (const std::string& consent : plan.consent_needed) {
    std::smatch offer;
    if (!std::regex_search(consent, offer, kOffer)) continue;
    const std::uint16_t row = find_rule(offer.str(1));
    ASSERT_NE(row, kRuleCount) << consent;
    EXPECT_TRUE(is_outcome(RuleId(row), offer.str(2))) << consent;
  }
}

Plan read_again(const Plan& plan) {
  std::stringstream text;
  write_plan(plan, text);
  const auto again = read_plan(text);
  EXPECT_TRUE(again) << again.error();
  return again.value_or(Plan{});
}

class RecipePlans : public testing::TestWithParam<std::size_t> {};

TEST_P(RecipePlans, hold_what_they_say) {
  const corpus::Recipe& recipe = recipes()[GetParam()];
  SCOPED_TRACE(recipe.name);
  for (const bool all_consents : {false, true}) {
    // What a plan may hold itself changes its text, and nothing else.
    const PlanOptions options{
        .allow_metadata = all_consents,
        .allow_lossy = all_consents,
        .most_held_bytes = all_consents ? std::uint64_t{0} : PlanOptions().most_held_bytes};
    Bench bench(recipe);
    const Plan plan = bench.plan(options);
    EXPECT_EQ(plan.unfit, "");
    expect_offers_are_choices(plan);
    if (bench.check().worst == Severity::notice) {
      const bool dirty =
          std::ranges::any_of(plan.steps, [](const Step& step) { return step.rule == rule("header/dirty"); });
      EXPECT_TRUE(plan.empty() || dirty);
    }
    bench.apply(read_again(plan));
    if (!plan.empty()) {
      EXPECT_EQ(describe(bench.check().totals), describe(plan.remaining));
    }
    // Where other structures are broken, refcounts are not lowered.
    const bool all_repairable = std::ranges::all_of(bench.check().totals, [](const RuleTotal& total) {
      return total.worst == Severity::notice || is_repairable(total.rule);
    });
    if (is_left_to_user(recipe.name)) {
      EXPECT_NE(bench.check().worst, Severity::notice);
      EXPECT_FALSE(plan.consent_needed.empty());
    } else if (all_consents && all_repairable) {
      EXPECT_EQ(bench.check().worst, Severity::notice) << describe(plan.remaining);
    }
    PlanOptions knowing = options;
    knowing.kept = plan.kept;
    const Plan second = bench.plan(knowing);
    EXPECT_TRUE(second.empty()) << second.steps.front().rule->id;
  }
}

// The leaked cluster is the one that the entry named before it was damaged.
TEST(RecipePlansOf, damaged_entries_free_nothing_before_the_user_gives_them_up) {
  const auto damaged =
      std::ranges::find(recipes(), std::string_view("l2/outside-by-one"), &corpus::Recipe::name);
  ASSERT_NE(damaged, recipes().end());
  const Bench bench(*damaged);
  ASSERT_NE(bench.check().counters.leaks, 0);
  EXPECT_TRUE(std::ranges::none_of(bench.plan({}).steps, is_about_leak));
  EXPECT_TRUE(std::ranges::any_of(bench.plan({.allow_lossy = true}).steps, is_about_leak));
}

// One of two guest clusters once had the leaked one.
TEST(RecipePlansOf, clusters_with_two_owners_name_both_and_free_nothing_unasked) {
  const auto damaged =
      std::ranges::find(recipes(), std::string_view("l2/cross-linked-data"), &corpus::Recipe::name);
  ASSERT_NE(damaged, recipes().end());
  const Bench bench(*damaged);
  ASSERT_NE(bench.check().counters.leaks, 0);
  const Plan plan = bench.plan({});
  EXPECT_TRUE(std::ranges::none_of(plan.steps, is_about_leak));
  EXPECT_TRUE(keeps_leaks(plan));
  EXPECT_TRUE(std::ranges::any_of(plan.steps, [](const Step& step) {
    return step.why.contains("0x10000+65536 and 0x20000+65536 had one cluster");
  }));
  EXPECT_TRUE(std::ranges::any_of(bench.plan({.choices = {{"refcount/leak", "free"}}}).steps, is_about_leak));
  EXPECT_TRUE(std::ranges::any_of(bench.plan({.allow_lossy = true}).steps, is_about_leak));
}

INSTANTIATE_TEST_SUITE_P(all, RecipePlans, testing::Range<std::size_t>(0, recipes().size()),
                         [](const testing::TestParamInfo<std::size_t>& param) {
                           std::string name = recipes()[param.param].name;
                           std::ranges::replace_if(
                               name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
                               '_');
                           return name;
                         });

}  // namespace
}  // namespace cowvet
