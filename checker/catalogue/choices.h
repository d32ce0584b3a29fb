// The outcomes between which the user may choose (--choose RULE=OUTCOME), the default first.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "checker/catalogue/catalogue.h"

namespace cowvet {

struct Choice {
  std::string_view name;
  std::string_view meaning;
};

struct RuleChoices {
  RuleId rule;
  std::span<const Choice> outcomes;
  // What else may be chosen, for people: a place that a plan proposes, for example; empty: nothing else.
  std::string_view others;
};

// None: there is nothing to choose.
std::optional<RuleChoices> choices_of(RuleId rule);

// Whether --choose may say so. What a plan proposes by its offset is not known here and let through.
bool is_outcome(RuleId rule, std::string_view outcome);

}  // namespace cowvet
