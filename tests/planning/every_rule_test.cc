// Every rule whose remedy is not "none" has one: some recipe about it is planned, with every consent, and the
// rehearsal finds it no more. Or there is a reason why not.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "checker/device/memory_device.h"
#include "checker/planning/planner.h"
#include "corpus/build.h"
#include "corpus/library.h"

namespace cowvet {
namespace {

// Outcomes that have to be named before anything is done.
const std::map<std::string, std::string, std::less<>> kChoices{
    {"refcount/orphan-mapping", "free"},
    {"ext/backing-format-missing", "raw"},
    {"ext/luks-unexpected", "drop"},
    {"header/backing-name-too-long", "drop-backing"},
    {"header/magic", "rebuild"},
};

Plan plan_for(const corpus::Recipe& recipe, const PlanOptions& options) {
  const corpus::BuiltImage built = corpus::build(recipe).value();
  const MemoryDevice device(built.image);
  const OpenCompanion open = [&](const std::string& name) {
    Companion companion{.state = Companion::State::missing, .path = name, .why = "not there"};
    if (!built.data_file || recipe.data_file->found != corpus::DataFile::Found::yes) return companion;
    companion.state = Companion::State::open;
    companion.device = std::make_unique<MemoryDevice>(*built.data_file, name);
    return companion;
  };
  return make_plan({device, open, {}}, options).value_or(Plan{});
}

bool heals(const corpus::Recipe& recipe, RuleId rule_id) {
  PlanOptions options{.allow_metadata = true, .allow_lossy = true, .deep = recipe.check_deep, .threads = 1};
  for (const auto& [id, outcome] : kChoices) options.choices.emplace(id, outcome);
  // A notice is changed only where it is named.
  if (rule_id->severity == Severity::notice) options.only = {std::string(rule_id->id)};
  const Plan plan = plan_for(recipe, options);
  return !plan.empty() && plan.unfit.empty() &&
         std::ranges::none_of(plan.remaining, [&](const RuleTotal& total) { return total.rule == rule_id; });
}

TEST(EveryRule, has_a_remedy_that_makes_its_finding_go_away) {
  const auto recipes = corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
  std::string without;
  for (std::uint16_t row = 0; row < kRuleCount; ++row) {
    const RuleId id(row);
    if (id->remedy == Remedy::none) continue;
    const bool healed = std::ranges::any_of(recipes, [&](const corpus::Recipe& recipe) {
      return recipe.kind == corpus::Kind::damaged && recipe.rule == id && heals(recipe, id);
    });
    if (!healed) without += std::string(id->id) + " ";
  }
  EXPECT_EQ(without, "");
}

}  // namespace
}  // namespace cowvet
