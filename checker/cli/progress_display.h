// Shows on standard error how far an analysis is: a bar on a terminal once it takes longer than a second, and
// a line whenever the process receives SIGUSR1.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "checker/analysis/progress.h"

namespace cowvet {

// Keeps SIGUSR1 for ProgressDisplay. To be called before any thread is made, which inherit it: a blocked
// signal waits until it is asked for, so that no handler ever interrupts anything.
void reserve_progress_signal();

// "disk.qcow2: walk l2 tables, 42%": the pass and its share, which is left out where it is not known.
std::string progress_line(const std::string& name, const Progress& progress);

class ProgressDisplay {
 public:
  // `forced`: from the start, and also where standard error is no terminal (then a line each second).
  ProgressDisplay(const Progress& progress, std::string name, bool forced);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void draw();

  const Progress& progress_;
  const std::string name_;
  const bool terminal_;
  const bool shown_;  // without being asked by the signal
  const Clock::time_point first_draw_;
  bool drawn_ = false;  // a bar is on the terminal
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace cowvet
