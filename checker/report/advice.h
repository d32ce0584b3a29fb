// What to do about what was found, for people.
#pragma once

#include <string_view>

#include "checker/analysis/analyze.h"

namespace cowvet {

// What the rule asks for, in the light of what else was found.
std::string_view advice_of(const RuleTotal& total, const Report& report);

}  // namespace cowvet
