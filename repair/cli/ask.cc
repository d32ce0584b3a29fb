#include "repair/cli/ask.h"

#include <unistd.h>

#include <iostream>

#include "checker/cli/command_line.h"

namespace cowvet {

bool has_terminal() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
}

std::string ask(const std::string& question) {
  if (!print_out(question)) return "";
  std::string line;
  std::getline(std::cin, line);
  return line;
}

}  // namespace cowvet
