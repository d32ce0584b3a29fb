// The session in README.md is what the programs print.
#include <sstream>
#include <vector>

#include "tests/repair_cli/repair_cli_test_base.h"
#include "tests/support/terminal_command.h"

namespace cowvet {
namespace {

// What follows each "$ COMMAND" of the session, up to "..." or the next one.
std::vector<std::pair<std::string, std::string>> session() {
  std::ifstream readme(COWVET_SOURCE_DIR "/README.md");
  std::vector<std::pair<std::string, std::string>> commands;
  bool shown = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("$ ")) {
      commands.emplace_back(line.substr(2), "");
      shown = true;
    } else if (line == "..." || line == "```") {
      shown = false;
    } else if (shown) {
      commands.back().second += line + '\n';
    }
  }
  return commands;
}

// The commands that make the image of the session.
std::string preparation() {
  std::ifstream readme(COWVET_SOURCE_DIR "/README.md");
  std::string script;
  for (std::string line; std::getline(readme, line);)
    if (line.starts_with("qemu-img create") || (!script.empty() && line.starts_with("printf")))
      script += line + '\n';
  return script;
}

using Readme = RepairCliTest;

TEST_F(Readme, shows_what_the_programs_print) {
  prepare(preparation());
  const auto commands = session();
  ASSERT_EQ(commands.size(), 3u);
  for (const auto& [command, printed] : commands) {
    const std::string program =
        command.starts_with("cowvet-repair ") ? COWVET_REPAIR_PROGRAM : COWVET_PROGRAM;
    const std::string script = "NO_COLOR=1 " + shell_quote(program) + command.substr(command.find(' '));
    std::string out = run_at_terminal(script, directory_.path(), "[y/N] ", "y\n").out;
    std::erase(out, '\r');
    EXPECT_TRUE(out.starts_with(printed)) << out;
  }
}

}  // namespace
}  // namespace cowvet
