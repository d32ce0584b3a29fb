// Plans in short.
#include "repair/cli/plan_text.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

Step step(std::string why, std::vector<GuestImpact> impact = {}) {
  return {.rule = rule("refcount/too-low"),
          .remedy = Remedy::safe,
          .why = std::move(why),
          .impact = std::move(impact),
          .writes = {{File::image, 0, Content::zeros(1), std::vector{std::byte{2}}}}};
}

long lines_of(const std::string& text) {
  return std::ranges::count(text, '\n');
}

TEST(PlanText, shows_steps_that_differ_in_numbers_only_once) {
  Plan plan;
  for (int i = 0; i < 10'000; ++i)
    plan.steps.push_back(step("write block " + std::to_string(i) + " at 0x20a000"));
  plan.steps.push_back(step("point the header to the table"));
  const std::string text = plan_text(plan);
  EXPECT_THAT(text, HasSubstr("10000 times: write block 0 at 0x20a000, and 9999 more steps like"));
  EXPECT_THAT(text, HasSubstr("2. refcount/too-low (safe), once: point the header"));
  EXPECT_LE(lines_of(text), 6);
}

TEST(PlanText, is_short_whatever_a_plan_holds) {
  Plan plan;
  for (int i = 0; i < 1000; ++i)
    plan.steps.push_back(step("drop " + std::string(static_cast<std::size_t>(i), 'x'),
                              {{{0, 512}, "", "a", "b"}, {{0, 512}, "", "a", "b"}}));
  const std::string text = plan_text(plan);
  EXPECT_THAT(text, HasSubstr("... and 960 more kinds of steps; --json shows all"));
  EXPECT_LT(lines_of(text), 200);

  Plan wide;
  wide.steps.push_back(step("zero", std::vector<GuestImpact>(5000, {{0, 512}, "", "a", "b"})));
  EXPECT_THAT(plan_text(wide), HasSubstr("... and 4980 more guest ranges"));
  EXPECT_THAT(plan_text(wide), Not(HasSubstr("read what they read before")));
}

TEST(PlanText, lets_no_name_from_an_image_reach_the_terminal_as_it_is) {
  Plan plan;
  plan.steps.push_back(step("drop \x1b[2J", {{{0, 512}, "snapshot \x1b[2J", "\x1b]", "\n\n"}}));
  plan.consent_needed = {"\x1b[2J"};
  plan.unfit = "\x1b[2J";
  EXPECT_THAT(plan_text(plan), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace cowvet
