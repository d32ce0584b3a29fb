#include "repair/cli/expectation.h"

#include <fmt/format.h>

#include <sstream>
#include <string_view>

namespace cowvet {
namespace {

constexpr std::string_view kFirstLines[] = {"expected", "expected deep"};

}  // namespace

std::string encode_expectation(const Expectation& expectation) {
  std::string note = fmt::format("{}\n", kFirstLines[expectation.deep ? 1 : 0]);
  for (const RuleTotal& total : expectation.remaining)
    note += fmt::format("{} {} {}\n", total.rule->id, total.findings, total.total);
  return note;
}

std::optional<Expectation> decode_expectation(const std::string& note) {
  std::istringstream lines(note);
  std::string line;
  std::getline(lines, line);
  if (line != kFirstLines[0] && line != kFirstLines[1]) return std::nullopt;
  Expectation expectation{.deep = line == kFirstLines[1]};
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string id;
    std::uint64_t findings = 0;
    std::uint64_t total = 0;
    if (!(words >> id >> findings >> total) || find_rule(id) == kRuleCount) return std::nullopt;
    expectation.remaining.push_back({RuleId(find_rule(id)), findings, total});
  }
  return expectation;
}

}  // namespace cowvet
