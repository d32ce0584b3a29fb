// Shows on standard error how far an analysis is: a bar on a terminal once it takes longer than a second, and
// a line whenever the process receives SIGUSR1; and, for another program, on a descriptor of its own.
#pragma once

#include <atomic>
#include <boost/program_options.hpp>
#include <chrono>
#include <expected>
#include <string>
#include <string_view>
#include <thread>

#include "checker/analysis/progress.h"

namespace cowvet {

// Keeps SIGUSR1 for ProgressDisplay. To be called before any thread is made, which inherit it: a blocked
// signal waits until it is asked for, so that no handler ever interrupts anything.
void reserve_progress_signal();

struct ProgressOptions {
  bool forced =
      false;  // from the start, and also where standard error is no terminal (then a line each second)
  int descriptor = -1;  // for lines as e2fsck -C writes them; -1: none
};

// Adds -p and --progress-fd, which fill `options` when the command line is parsed.
void add_progress_options(boost::program_options::options_description& list, ProgressOptions& options);

// Where progress can be written to. The error is a message for people.
std::expected<int, std::string> parse_progress_descriptor(std::string_view text);

// "disk.qcow2: walk l2 tables, 42%": the pass and its share, which is left out where it is not known.
std::string progress_line(const std::string& name, const Progress& progress);

// "2 300 1000 disk.qcow2": pass, current, total, device. Passes have the numbers 1 to 5, as those of e2fsck:
// (1) the L2 tables are read, (2) references are compared with refcounts, (3) what is leaked is looked at,
// (4) the data file is compared, (5) compressed clusters are decoded. What has no number of its own (a
// digest) counts as part of `last_pass`, the number that this returns. Empty where the share is not known.
std::string progress_fd_line(const std::string& name, const Progress& progress, int& last_pass);

class ProgressDisplay {
 public:
  ProgressDisplay(const Progress& progress, std::string name, ProgressOptions options);
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  void draw();
  void write_to_descriptor();
  std::string shown_name() const;

  const Progress& progress_;
  const std::string name_;
  const bool terminal_;
  const bool shown_;  // without being asked by the signal
  const Clock::time_point first_draw_;
  int descriptor_;
  int last_pass_ = 1;
  std::string last_line_;  // on the descriptor
  bool drawn_ = false;     // a bar is on the terminal
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace cowvet
