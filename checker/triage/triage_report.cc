#include "checker/triage/triage_report.h"

#include <fmt/format.h>

#include "checker/report/escape.h"
#include "checker/report/json_values.h"
#include "checker/report/numbers.h"

namespace cowvet {
namespace {

OrderedJson group_json(const Group& group) {
  return {{"outcome", to_string(group.outcome)},
          {"signature", group.signature},
          {"images", group.images},
          {"smallest", group.smallest},
          {"smallest-size", group.smallest_bytes}};
}

// "3 corrupt, 1 sound": outcomes that no image had are left out.
std::string list_outcomes(const Groups& groups) {
  std::string list;
  for (std::size_t at = 0; at < kOutcomes; ++at) {
    const auto outcome = static_cast<Outcome>(at);
    if (groups.images(outcome) == 0) continue;
    list += fmt::format("{}{} {}", list.empty() ? ": " : ", ", groups.images(outcome), to_string(outcome));
  }
  return list;
}

}  // namespace

std::string triage_table(const Groups& groups) {
  const std::vector<Group> sorted = groups.sorted();
  std::string table = fmt::format("{} in {}{}\n", counted(groups.images(), "image", "images"),
                                  counted(sorted.size(), "group", "groups"), list_outcomes(groups));
  if (sorted.empty()) return table;
  table += fmt::format("\n{:>10}  {:>10}  signature, and the smallest image\n", "images", "size");
  for (const Group& group : sorted)
    table += fmt::format("{:>10}  {:>10}  {}\n{:24}{}\n", group.images, human_bytes(group.smallest_bytes),
                         escape_for_terminal(group.signature), "", escape_for_terminal(group.smallest));
  return table;
}

std::string triage_json(const Groups& groups, bool complete) {
  OrderedJson outcomes = OrderedJson::object();
  for (std::size_t at = 0; at < kOutcomes; ++at) {
    const auto outcome = static_cast<Outcome>(at);
    outcomes[std::string(to_string(outcome))] = groups.images(outcome);
  }
  OrderedJson listed = OrderedJson::array();
  for (const Group& group : groups.sorted()) listed.push_back(group_json(group));
  return dump_json({{"images", groups.images()},
                    {"outcomes", std::move(outcomes)},
                    {"groups", std::move(listed)},
                    {"complete", complete}},
                   4) +
         "\n";
}

std::string closing_lines(const Groups& groups, Shard shard, bool complete) {
  std::string lines;
  for (const Group& group : groups.sorted()) {
    OrderedJson line = {{"type", "group"}};
    line.update(group_json(group));
    lines += dump_json(line) + "\n";
  }
  return lines +
         dump_json({{"type", "end"},
                    {"images", groups.images()},
                    {"shard", fmt::format("{}/{}", shard.index, shard.count)},
                    {"complete", complete}}) +
         "\n";
}

}  // namespace cowvet
