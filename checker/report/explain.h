// The catalogue as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checker/catalogue/catalogue.h"

namespace cowvet {

// Everything that the catalogue says of one rule.
std::string explain_rule(RuleId rule);

// One line a rule, grouped as the catalogue is.
std::string list_rules();

// Up to three ids that a person may have meant by `id`, the closest first; empty where nothing is close.
std::vector<std::string_view> close_rule_ids(std::string_view id);

}  // namespace cowvet
