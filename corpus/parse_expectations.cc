// The statements that say what a checker must find.
#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

std::optional<RuleId> parse_rule(const std::string& id, Arguments& words) {
  const std::uint16_t row = find_rule(id);
  if (row != kRuleCount) return RuleId(row);
  words.fail(id, "no such rule in the catalogue");
  return std::nullopt;
}

void parse_check(Recipe& recipe, Arguments& words) {
  recipe.check_deep = words.flag("deep");
  if (!recipe.check_deep) words.fail(words.verb(), "'check deep' is all that there is");
}

// Each word is a statement of a policy file; `preboot` stands for a file without any.
void parse_policy_lines(Recipe& recipe, Arguments& words) {
  std::string line = words.next("preboot, or statements of a policy file in quotes");
  std::string lines = line == "preboot" ? "" : line + "\n";
  for (auto more = words.next_if_any(); more; more = words.next_if_any()) lines += *more + "\n";
  auto policy = parse_policy(lines);
  if (policy)
    recipe.policy = *std::move(policy);
  else
    words.fail(lines, policy.error());
}

void parse_expect(Recipe& recipe, Arguments& words) {
  const std::string id = words.next("a rule, or none");
  if (id == "none") {
    recipe.expects_none = true;
    return;
  }
  const auto rule = parse_rule(id, words);
  if (!rule) return;
  Expectation expectation{.where = words.where(), .rule = *rule};
  expectation.at = words.expression("at");
  expectation.other = words.expression("other");
  expectation.guest = words.range("guest");
  expectation.count = words.number("count");
  expectation.expected = words.expression("expected");
  expectation.found = words.expression("found");
  expectation.owner = words.text("owner");
  expectation.file = words.text("file");
  expectation.structure = words.text("structure");
  expectation.severity = words.one_of<Severity>("severity", {{"notice", Severity::notice},
                                                             {"leak", Severity::leak},
                                                             {"corruption", Severity::corruption},
                                                             {"unchecked", Severity::unchecked}});
  recipe.expectations.push_back(std::move(expectation));
}

void parse_allow(Recipe& recipe, Arguments& words) {
  if (const auto rule = parse_rule(words.next("a rule"), words))
    recipe.expectations.push_back({.where = words.where(), .rule = *rule, .required = false});
}

void parse_expect_status(Recipe& recipe, Arguments& words) {
  const std::string word = words.next("an exit status");
  const auto status = parse_number(word);
  if (!status || (*status > 3 && *status != 63)) words.fail(word, "0, 1, 2, 3 or 63 is expected");
  recipe.expected_status = static_cast<int>(status.value_or(0));
}

void parse_remedy(Recipe& recipe, Arguments& words) {
  if (!words.flag("none")) words.fail(words.verb(), "'remedy none' and the reason is all that there is");
  recipe.why_no_remedy = words.next("the reason");
}

constexpr Verb kVerbs[] = {
    {"check", Part::expectations, parse_check},
    {"policy", Part::expectations, parse_policy_lines},
    {"expect", Part::expectations, parse_expect},
    {"allow", Part::expectations, parse_allow},
    {"expect-status", Part::expectations, parse_expect_status},
    {"remedy", Part::expectations, parse_remedy},
};

}  // namespace

std::span<const Verb> expectation_verbs() {
  return kVerbs;
}

}  // namespace cowvet::corpus
