// cowvet-repair: repairs qcow2 images.
#include <exception>

#include "checker/cli/command_line.h"
#include "repair/cli/run_repair.h"

int main(int count, char** words) {
  cowvet::occupy_standard_descriptors();
  try {
    return cowvet::run_repair({words + (count > 0 ? 1 : 0), words + count});
  } catch (const std::exception& error) {  // out of memory, above all: never a status that says "sound"
    cowvet::print_error(error.what());
    return cowvet::kExitIncomplete;
  }
}
