// Signals that ask the program to end, while a repair is under way.
#pragma once

#include <csignal>

namespace cowvet {

// From here on SIGINT, SIGTERM and SIGHUP wait until they are asked about: none of them, nor a second one,
// ends the program in the middle of a repair, and no handler interrupts a system call. To be made before
// threads that shall inherit it. One that the caller had ignored (nohup) asks for nothing.
class StopSignals {
 public:
  StopSignals();

  bool is_requested() const;

 private:
  sigset_t watched_;
};

// Writing to a closed pipe, or past a limit on the size of files, becomes an error like others.
void ignore_write_signals();

}  // namespace cowvet
