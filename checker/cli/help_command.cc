// cowvet help: the table of commands, or the help of one.
#include <fmt/format.h>

#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"

namespace cowvet {
namespace {

std::string overview() {
  std::string text =
      "cowvet examines qcow2 disk images. It opens them read-only and never changes them.\n\n"
      "Usage: cowvet COMMAND [OPTION]...\n\n";
  for (const Command& command : commands()) text += fmt::format("  {:<9}{}\n", command.name, command.summary);
  return text +
         "\n'cowvet COMMAND --help' lists the options of a command, 'cowvet --version' says which cowvet "
         "this is.\n";
}

}  // namespace

int run_help(const Arguments& arguments) {
  if (arguments.empty() || arguments[0] == "--help")
    return print_out(overview()) ? kExitSound : kExitIncomplete;
  const Command* command = find_command(arguments[0]);
  if (command == nullptr) return usage_error(fmt::format("there is no command '{}'", arguments[0]));
  return command->run({"--help"});
}

}  // namespace cowvet
