// cowvet: examines qcow2 images, read-only.
#include <unistd.h>

#include <exception>
#include <string_view>

#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"

namespace cowvet {
namespace {

// Memory may run out where no exception can pass: the destructor of a JSON value needs some. Nothing is
// allocated here.
[[noreturn]] void end_incomplete() {
  constexpr std::string_view kMessage = "cowvet: out of memory, or another error that leaves no way on\n";
  if (write(STDERR_FILENO, kMessage.data(), kMessage.size()) < 0) _exit(kExitIncomplete);
  _exit(kExitIncomplete);
}

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
  std::set_terminate(cowvet::end_incomplete);
  cowvet::occupy_standard_descriptors();
  try {
    return cowvet::run({words + (count > 0 ? 1 : 0), words + count});
  } catch (const std::exception& error) {  // out of memory, above all: never a status that says "sound"
    cowvet::print_error(error.what());
    return cowvet::kExitIncomplete;
  }
}
