#include "repair/cli/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <ranges>
#include <tuple>
#include <vector>

#include "checker/report/escape.h"
#include "checker/report/numbers.h"
#include "checker/report/wrap.h"

namespace cowvet {
namespace {

constexpr std::size_t kMostGroups = 40;   // shown
constexpr std::size_t kMostImpacts = 20;  // shown of a group

// Steps of one rule and outcome that say the same but for numbers.
struct Group {
  const Step* first = nullptr;
  std::uint64_t steps = 0;
  std::uint64_t count = 0;
  std::vector<const GuestImpact*> impact;
};

// "point entry # to #": a repair of a large image has thousands of steps.
std::string without_numbers(const std::string& text) {
  std::string out;
  bool in_word = false;
  bool in_number = false;
  for (const unsigned char c : text) {
    const bool is_inside = std::isalnum(c) != 0;
    const bool begins = !in_word && std::isdigit(c) != 0;
    in_number = begins || (in_number && is_inside);
    in_word = is_inside;
    if (begins) out += '#';
    if (!in_number) out += static_cast<char>(c);
  }
  return out;
}

std::vector<Group> group_steps(const Plan& plan) {
  std::vector<Group> groups;
  std::map<std::tuple<RuleId, Remedy, std::string, std::string>, std::size_t> numbers;
  for (const Step& step : plan.steps) {
    const auto [at, is_new] =
        numbers.try_emplace({step.rule, step.remedy, step.outcome, without_numbers(step.why)}, groups.size());
    if (is_new) groups.push_back({.first = &step});
    Group& group = groups[at->second];
    ++group.steps;
    group.count += step.count;
    for (const GuestImpact& impact : step.impact) group.impact.push_back(&impact);
  }
  return groups;
}

std::string times(std::uint64_t count) {
  return count == 1 ? "once" : fmt::format("{} times", count);
}

std::string impact_text(const Group& group) {
  std::string text;
  for (const GuestImpact* impact : group.impact | std::views::take(kMostImpacts))
    text +=
        "       " + wrap(fmt::format("{}guest {}: {} -> {}",
                                     impact->owner.empty() ? "" : escape_for_terminal(impact->owner) + ", ",
                                     describe(impact->range), escape_for_terminal(impact->before),
                                     escape_for_terminal(impact->after)),
                         9, 7);
  if (group.impact.size() > kMostImpacts)
    text += fmt::format("       ... and {} more guest ranges\n", group.impact.size() - kMostImpacts);
  return text;
}

std::string group_text(const Group& group, std::size_t number) {
  const Step& step = *group.first;
  const std::string outcome =
      step.outcome.empty() ? "" : fmt::format(", outcome {}", escape_for_terminal(step.outcome));
  const std::string more =
      group.steps == 1
          ? ""
          : fmt::format(", and {} like this", counted(group.steps - 1, "more step", "more steps"));
  const std::string text = fmt::format("{} ({}{}), {}: {}{}", step.rule->id, to_string(step.remedy), outcome,
                                       times(group.count), escape_for_terminal(step.why), more);
  return fmt::format("  {:>2}. {}", number, wrap(text, 6, 6)) + impact_text(group);
}

std::string size_text(const Plan& plan) {
  std::uint64_t bytes = 0;
  std::uint64_t data_file_bytes = 0;
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes)
      (write.target == File::image ? bytes : data_file_bytes) += write.new_bytes.size();
  std::string text = fmt::format("Writes {} to the image", human_bytes(bytes));
  if (plan.image_bytes_after > plan.image.size_bytes)
    text += fmt::format(", which grows by {}", human_bytes(plan.image_bytes_after - plan.image.size_bytes));
  if (data_file_bytes != 0) text += fmt::format(", and {} to the data file", human_bytes(data_file_bytes));
  if (plan.data_file && plan.data_file_bytes_after > plan.data_file->size_bytes)
    text += fmt::format("{}, which grows by {}", data_file_bytes == 0 ? "; to the data file nothing" : "",
                        human_bytes(plan.data_file_bytes_after - plan.data_file->size_bytes));
  return text + ".\n";
}

std::string remaining_text(const Plan& plan) {
  if (plan.remaining.empty()) return "";
  std::string text = "What will still be found:\n";
  for (const RuleTotal& total : plan.remaining)
    text += fmt::format("  - {} ({}), {}\n", total.rule->id, to_string(total.worst), times(total.total));
  return text;
}

std::string consent_text(const Plan& plan) {
  std::string text = plan.consent_needed.empty() ? "" : "Left alone, because it needs your consent:\n";
  for (const std::string& line : plan.consent_needed) text += "  - " + wrap(escape_for_terminal(line), 4, 4);
  return text;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text;
  const std::vector<Group> groups = group_steps(plan);
  if (!groups.empty()) {
    text += "The plan:\n";
    const std::size_t shown = std::min(groups.size(), kMostGroups);
    for (std::size_t i = 0; i < shown; ++i) text += group_text(groups[i], i + 1);
    if (shown < groups.size())
      text += fmt::format("       ... and {}; --json shows all\n",
                          counted(groups.size() - shown, "more kind of step", "more kinds of steps"));
    if (std::ranges::all_of(groups, [](const Group& group) { return group.impact.empty(); }))
      text += "The guest and every snapshot read what they read before.\n";
    text += size_text(plan);
  }
  text += remaining_text(plan);
  text += consent_text(plan);
  if (!plan.unfit.empty())
    text += wrap("THE PLAN IS UNFIT and is never carried out: " + escape_for_terminal(plan.unfit), 2, 0);
  return text;
}

}  // namespace cowvet
