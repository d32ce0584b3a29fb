// cowvet explain: the catalogue, for people.
#include <fmt/format.h>

#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/report/explain.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

int unknown_rule(const std::string& id) {
  std::string message = fmt::format("there is no rule '{}'", id);
  if (const auto close = close_rule_ids(id); !close.empty())
    message += fmt::format("; did you mean {}?", fmt::join(close, " or "));
  print_error(message);
  print_err("'cowvet explain --list' lists all rules.\n");
  return kExitIncomplete;
}

}  // namespace

int run_explain(const Arguments& arguments) {
  po::options_description options("Options");
  options.add_options()("list,l", "list all rules with their severity and remedy");
  options.add_options()("help,h", "show this help");
  po::options_description all;
  std::vector<std::string> ids;
  all.add(options).add_options()("rule", po::value(&ids));

  const auto values = parse_arguments(arguments, all, "rule");
  if (!values) return usage_error(values.error(), "explain");
  if (values->contains("help"))
    return print_help("explain", "Says what a rule that cowvet reported means, and what to do about it.\n",
                      options);
  if (values->contains("list")) return print_out(list_rules()) ? kExitSound : kExitIncomplete;
  if (ids.empty()) return usage_error("no rule given", "explain");

  std::string text;
  for (const std::string& id : ids) {
    const std::uint16_t row = find_rule(id);
    if (row == kRuleCount) return unknown_rule(id);
    if (!text.empty()) text += '\n';
    text += explain_rule(RuleId(row));
  }
  return print_out(text) ? kExitSound : kExitIncomplete;
}

}  // namespace cowvet
