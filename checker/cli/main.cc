// cowvet: examines qcow2 images, read-only.
#include <exception>

#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"

namespace cowvet {
namespace {

int run(const Arguments& words) {
  if (words.empty()) return usage_error("no command given");
  if (words[0] == "--version") return print_out("cowvet " COWVET_VERSION "\n") ? kExitSound : kExitIncomplete;
  if (words[0] == "--help" || words[0] == "-h") return run_help({});
  const Command* command = find_command(words[0]);
  if (command == nullptr) return usage_error("there is no command '" + words[0] + "'");
  return command->run({words.begin() + 1, words.end()});
}

}  // namespace
}  // namespace cowvet

int main(int count, char** words) {
  cowvet::occupy_standard_descriptors();
  try {
    return cowvet::run({words + (count > 0 ? 1 : 0), words + count});
  } catch (const std::exception& error) {  // out of memory, above all: never a status that says "sound"
    cowvet::print_error(error.what());
    return cowvet::kExitIncomplete;
  }
}
