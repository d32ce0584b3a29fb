#include "checker/cli/progress_display.h"

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <optional>
#include <utility>

#include "checker/cli/command_line.h"
#include "checker/report/escape.h"

namespace cowvet {
namespace {

using namespace std::chrono_literals;

sigset_t progress_signal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  return set;
}

// Waits for SIGUSR1: true when it came, false when the time was over. No timeout: for ever.
bool wait_for_signal(std::optional<std::chrono::nanoseconds> timeout) {
  const sigset_t set = progress_signal();
  if (!timeout) return sigwaitinfo(&set, nullptr) == SIGUSR1;
  const auto left = std::max(*timeout, 0ns);
  const timespec time{.tv_sec = left / 1s, .tv_nsec = (left % 1s).count()};
  return sigtimedwait(&set, nullptr, &time) == SIGUSR1;
}

// 0 to 100; nothing where the pass does not know how much there is.
std::optional<unsigned> percent_done(const Progress& progress) {
  const std::uint64_t total = progress.total.load(std::memory_order_relaxed);
  const std::uint64_t done = progress.done.load(std::memory_order_relaxed);
  if (total == 0) return std::nullopt;
  return static_cast<unsigned>(100.0 * static_cast<double>(std::min(done, total)) /
                               static_cast<double>(total));
}

// A bar must fit on one line of the terminal to be wiped again: of a long name the end is kept.
std::string shortened(const std::string& name) {
  constexpr std::size_t kMost = 30;
  return name.size() <= kMost ? name : "..." + name.substr(name.size() - kMost + 3);
}

std::string bar(unsigned percent) {
  constexpr unsigned kCells = 20;
  const unsigned full = percent * kCells / 100;
  return fmt::format("[{:#<{}}{:.<{}}] ", "", full, "", kCells - full);
}

}  // namespace

void reserve_progress_signal() {
  const sigset_t set = progress_signal();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

std::string progress_line(const std::string& name, const Progress& progress) {
  std::string pass = progress.pass.load(std::memory_order_relaxed);  // "walk_l2_tables"
  if (pass.empty()) pass = "load the header";
  std::ranges::replace(pass, '_', ' ');
  const auto percent = percent_done(progress);
  return fmt::format("{}: {}{}", escape_for_terminal(name), pass,
                     percent ? fmt::format(", {}%", *percent) : "");
}

ProgressDisplay::ProgressDisplay(const Progress& progress, std::string name, bool forced)
    : progress_(progress),
      name_(isatty(STDERR_FILENO) == 1 ? shortened(name) : std::move(name)),
      terminal_(isatty(STDERR_FILENO) == 1),
      shown_(terminal_ || forced),
      first_draw_(Clock::now() + (forced ? 0s : 1s)),
      thread_([this] { run(); }) {}

ProgressDisplay::~ProgressDisplay() {
  done_.store(true);
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  if (drawn_) print_err("\r\x1b[K");
}

void ProgressDisplay::run() {
  const auto pause = terminal_ ? 100ms : 1000ms;
  Clock::time_point next = first_draw_;
  while (true) {
    const bool asked =
        wait_for_signal(shown_ ? std::optional(std::chrono::nanoseconds(next - Clock::now())) : std::nullopt);
    if (done_.load()) return;
    if (asked) {
      if (std::exchange(drawn_, false)) print_err("\r\x1b[K");
      print_err(fmt::format("{}\n", progress_line(name_, progress_)));
    } else if (shown_ && Clock::now() >= next) {
      draw();
      next = Clock::now() + pause;
    }
  }
}

void ProgressDisplay::draw() {
  const std::string line = progress_line(name_, progress_);
  if (!terminal_) {
    print_err(fmt::format("{}\n", line));
    return;
  }
  const auto percent = percent_done(progress_);
  print_err(fmt::format("\r\x1b[K{}{}", percent ? bar(*percent) : "", line));
  drawn_ = true;
}

}  // namespace cowvet
