// Runs a program at a terminal of its own, as a person would.
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/run_command.h"

namespace cowvet {

// Runs `script` by `sh -e` in `directory`; once it has printed `question`, types `answer`. What it printed is
// in `out`, with the line ends of a terminal.
CommandResult run_at_terminal(const std::string& script, const std::filesystem::path& directory,
                              const std::string& question, const std::string& answer);

}  // namespace cowvet
