// Questions to the person at the terminal.
#pragma once

#include <string>

namespace cowvet {

// Whether there is somebody to ask: standard input and standard output are a terminal.
bool has_terminal();

// Prints the question and waits for a line; "" where there is none.
std::string ask(const std::string& question);

}  // namespace cowvet
