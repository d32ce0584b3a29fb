// cowvet-repair: repairs qcow2 images. It is also fsck.qcow2, by the name it is started with.
#include <exception>

#include "checker/cli/command_line.h"
#include "repair/cli/fsck.h"
#include "repair/cli/run_repair.h"

int main(int count, char** words) {
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
