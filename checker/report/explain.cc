#include "checker/report/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "checker/catalogue/choices.h"
#include "checker/report/wrap.h"

namespace cowvet {
namespace {

std::string_view describe(Severity severity) {
  switch (severity) {
    case Severity::notice:
      return "notice: worth knowing, the image is sound (exit status 0)";
    case Severity::leak:
      return "leak: wasted space, no harm to data (exit status 3)";
    case Severity::corruption:
      return "corruption: the image is damaged (exit status 2)";
    case Severity::unchecked:
      return "unchecked: something could not be examined (exit status 1)";
  }
  return "";
}

std::string_view describe(Remedy remedy) {
  switch (remedy) {
    case Remedy::none:
      return "none: nothing to repair, or it cannot be repaired in place";
    case Remedy::safe:
      return "safe: possible without changing what the guest or any snapshot reads";
    case Remedy::metadata:
      return "metadata: the guest's disk stays as it is, but a snapshot, a bitmap or a name is given up";
    case Remedy::choice:
      return "choice: several outcomes can be defended, a person has to pick one";
    case Remedy::lossy:
      return "lossy: some of the guest's data cannot be kept";
  }
  return "";
}

// Single-character edits from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

std::string_view group_of(std::string_view id) {
  return id.substr(0, id.find('/'));
}
std::string_view name_of(std::string_view id) {
  return id.substr(id.find('/') + 1);
}

// What --choose takes for the rule.
std::string explain_choices(RuleId rule, std::size_t indent) {
  const auto choices = choices_of(rule);
  if (!choices) return "";
  std::string text;
  const auto add = [&](std::string_view line) {
    text += fmt::format("{:<{}}{}", text.empty() ? "Choices" : "", indent, wrap(line, indent, indent));
  };
  for (const Choice& choice : choices->outcomes)
    add(fmt::format("{}={}: {}{}", rule->id, choice.name, choice.meaning,
                    &choice == choices->outcomes.data() ? " (default)" : ""));
  if (!choices->others.empty()) add(fmt::format("{}=...: {}", rule->id, choices->others));
  return text;
}

}  // namespace

std::string explain_rule(RuleId rule) {
  constexpr std::size_t kIndent = 13;
  std::string text = fmt::format("{}\n\n", rule->id);
  for (const auto& [label, content] :
       {std::pair<std::string_view, std::string_view>{"Reported", rule->condition},
        {"Required by", rule->clause},
        {"Meaning", rule->meaning},
        {"What to do", rule->advice},
        {"Severity", describe(rule->severity)},
        {"Repair", describe(rule->remedy)}})
    text += fmt::format("{:<{}}{}", label, kIndent, wrap(content, kIndent, kIndent));
  return text + explain_choices(rule, kIndent);
}

std::string list_rules() {
  std::string text;
  std::string_view group;
  for (const Rule& rule : kRules) {
    if (group_of(rule.id) != group && !text.empty()) text += '\n';
    group = group_of(rule.id);
    text += fmt::format("{:<33}{:<12}{}\n", rule.id, to_string(rule.severity), to_string(rule.remedy));
  }
  return text;
}

std::vector<std::string_view> close_rule_ids(std::string_view id) {
  constexpr std::size_t kLongestId = 64;  // nothing longer is close to any
  if (id.size() > kLongestId) return {};
  std::vector<std::pair<std::size_t, std::string_view>> close;
  for (const Rule& rule : kRules) {
    // A forgotten group counts as one mistake.
    const std::size_t distance =
        std::min(edit_distance(id, rule.id), edit_distance(id, name_of(rule.id)) + 1);
    if (distance <= std::max<std::size_t>(2, id.size() / 5)) close.emplace_back(distance, rule.id);
  }
  std::ranges::stable_sort(close, {}, &std::pair<std::size_t, std::string_view>::first);
  std::vector<std::string_view> ids;
  for (const auto& [distance, close_id] : close)
    if (ids.size() < 3 && distance == close[0].first) ids.push_back(close_id);
  return ids;
}

}  // namespace cowvet
