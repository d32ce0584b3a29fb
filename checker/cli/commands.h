// The subcommands of cowvet. Each lives in the file of its name, parses its own arguments and returns the
// exit status; commands.cc holds the table that main and `cowvet help` go by.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cowvet {

using Arguments = std::vector<std::string>;  // what follows the name of the subcommand

struct Command {
  std::string_view name;
  std::string_view usage;    // what follows "cowvet NAME"
  std::string_view summary;  // one line
  int (*run)(const Arguments& arguments);
};

std::span<const Command> commands();
const Command* find_command(std::string_view name);  // null: there is none

int run_check(const Arguments& arguments);
int run_explain(const Arguments& arguments);
int run_help(const Arguments& arguments);
int run_map(const Arguments& arguments);
int run_pack(const Arguments& arguments);
int run_report(const Arguments& arguments);
int run_triage(const Arguments& arguments);
int run_unpack(const Arguments& arguments);

}  // namespace cowvet
