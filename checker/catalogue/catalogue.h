// The rule catalogue: one row a rule, one source for findings, `explain`, manual pages and tests.
// Code names a rule as rule("l2/copied"); a name that has no row does not compile.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "checker/catalogue/rules.h"

namespace cowvet {

class RuleId {
 public:
  constexpr explicit RuleId(std::uint16_t row) : row_(row) {}
  constexpr std::uint16_t row() const { return row_; }
  constexpr auto operator<=>(const RuleId&) const = default;
  constexpr const Rule* operator->() const { return &kRules[row_]; }

 private:
  std::uint16_t row_;
};

inline constexpr std::uint16_t kRuleCount = static_cast<std::uint16_t>(std::size(kRules));

// The row of `id`, or kRuleCount.
constexpr std::uint16_t find_rule(std::string_view id) {
  std::uint16_t row = 0;
  while (row < kRuleCount && kRules[row].id != id) ++row;
  return row;
}

consteval RuleId rule(std::string_view id) {
  const std::uint16_t row = find_rule(id);
  if (row == kRuleCount) throw "no such rule in the catalogue";
  return RuleId(row);
}

std::string_view to_string(Severity severity);  // "notice", "leak", "corruption", "unchecked"
std::string_view to_string(Remedy remedy);      // "none", "safe", "metadata", "choice", "lossy"

}  // namespace cowvet
