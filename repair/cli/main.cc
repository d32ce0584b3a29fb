// cowvet-repair: repairs qcow2 images. It is also fsck.qcow2, by the name it is started with.
#include <unistd.h>

#include <exception>
#include <string_view>
#include <tuple>

#include "checker/cli/command_line.h"
#include "repair/cli/fsck.h"
#include "repair/cli/run_repair.h"

namespace {

// Memory may run out where no exception can pass. Nothing is allocated here; what was begun is in a journal.
[[noreturn]] void end_incomplete() {
  constexpr std::string_view kMessage =
      "cowvet-repair: out of memory, or another error that leaves no way on\n";
  std::ignore = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(cowvet::kExitIncomplete);
}

}  // namespace

int main(int count, char** words) {
  std::set_terminate(end_incomplete);
  cowvet::occupy_standard_descriptors();
  try {
    const cowvet::Arguments arguments(words + (count > 0 ? 1 : 0), words + count);
    return count > 0 && cowvet::is_fsck_name(words[0]) ? cowvet::run_fsck(arguments)
                                                       : cowvet::run_repair(arguments);
  } catch (const std::exception& error) {  // out of memory, above all: never a status that says "sound"
    cowvet::print_error(error.what());
    return cowvet::kExitIncomplete;
  }
}
