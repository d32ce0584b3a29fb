// Runs other programs, as tests of whole programs and of QEMU's images need them.
#pragma once

#include <filesystem>
#include <string>

namespace cowvet {

struct CommandResult {
  int status = -1;  // exit status; 128 + signal where a signal ended it, as a shell says it
  std::string out;
  std::string err;
};

// Runs `script` by `sh -e` in `directory`, with no standard input.
CommandResult run_script(const std::string& script, const std::filesystem::path& directory = ".");

// `word` as one word of a shell command.
std::string shell_quote(const std::string& word);

}  // namespace cowvet
