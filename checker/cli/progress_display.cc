#include "checker/cli/progress_display.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
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

// It would end the process. A blocked signal of one thread waits for ever.
void ignore_broken_pipes_of_this_thread() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
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

std::string progress_fd_line(const std::string& name, const Progress& progress, int& last_pass) {
  constexpr std::string_view kPasses[] = {"walk_l2_tables", "compare_refcounts", "examine_leaks",
                                          "check_raw_data", "decode_compressed_clusters"};
  const std::uint64_t total = progress.total.load(std::memory_order_relaxed);
  const std::uint64_t done = progress.done.load(std::memory_order_relaxed);
  if (total == 0) return "";
  const auto at = std::ranges::find(kPasses, progress.pass.load(std::memory_order_relaxed));
  if (at != std::ranges::end(kPasses)) last_pass = static_cast<int>(at - kPasses) + 1;
  return fmt::format("{} {} {} {}\n", last_pass, std::min(done, total), total, escape_for_terminal(name));
}

std::expected<int, std::string> parse_progress_descriptor(std::string_view text) {
  const auto number = parse_number("progress-fd", text);
  if (!number) return std::unexpected(number.error());
  const bool fits = *number <= std::numeric_limits<int>::max();
  const int flags = fits ? fcntl(static_cast<int>(*number), F_GETFL) : -1;
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && (flags & O_PATH) == 0)
    return static_cast<int>(*number);
  return std::unexpected(
      fmt::format("--progress-fd takes a descriptor that is open for writing, and {} is not", text));
}

void add_progress_options(boost::program_options::options_description& list, ProgressOptions& options) {
  namespace po = boost::program_options;
  list.add_options()("progress,p", po::bool_switch(&options.forced),
                     "show progress at once, and where standard error is no terminal");
  const auto set = [&options](const std::string& text) {
    const auto descriptor = parse_progress_descriptor(text);
    if (!descriptor) throw po::error(descriptor.error());
    options.descriptor = *descriptor;
  };
  list.add_options()("progress-fd", po::value<std::string>()->notifier(set)->value_name("N"),
                     "write progress to descriptor N in the format of e2fsck -C: pass (1 to 5), current, "
                     "total, image");
}

ProgressDisplay::ProgressDisplay(const Progress& progress, std::string name, ProgressOptions options)
    : progress_(progress),
      name_(std::move(name)),
      terminal_(isatty(STDERR_FILENO) == 1),
      shown_(terminal_ || options.forced),
      first_draw_(Clock::now() + (options.forced ? 0s : 1s)),
      descriptor_(options.descriptor),
      thread_([this] { run(); }) {}

ProgressDisplay::~ProgressDisplay() {
  done_.store(true);
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
  if (drawn_) print_err("\r\x1b[K");
}

void ProgressDisplay::run() {
  ignore_broken_pipes_of_this_thread();
  constexpr auto kDescriptorPause = 100ms;
  const auto pause = terminal_ ? 100ms : 1000ms;
  Clock::time_point next = first_draw_;
  while (true) {
    std::optional<std::chrono::nanoseconds> wait;
    if (shown_) wait = next - Clock::now();
    if (descriptor_ >= 0)
      wait = std::min(wait.value_or(kDescriptorPause), std::chrono::nanoseconds(kDescriptorPause));
    const bool asked = wait_for_signal(wait);
    write_to_descriptor();
    if (done_.load()) return;
    if (asked) {
      if (std::exchange(drawn_, false)) print_err("\r\x1b[K");
      print_err(fmt::format("{}\n", progress_line(shown_name(), progress_)));
    } else if (shown_ && Clock::now() >= next) {
      draw();
      next = Clock::now() + pause;
    }
  }
}

// Who does not read what is written there, or went away, must not stop the examination.
void ProgressDisplay::write_to_descriptor() {
  if (descriptor_ < 0) return;
  const std::string line = progress_fd_line(name_, progress_, last_pass_);
  pollfd ready{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  if (line.empty() || line == last_line_ || poll(&ready, 1, 0) != 1) return;
  if (write(descriptor_, line.data(), line.size()) < 0) descriptor_ = -1;
  last_line_ = line;
}

std::string ProgressDisplay::shown_name() const {
  return terminal_ ? shortened(name_) : name_;
}

void ProgressDisplay::draw() {
  const std::string line = progress_line(shown_name(), progress_);
  if (!terminal_) {
    print_err(fmt::format("{}\n", line));
    return;
  }
  const auto percent = percent_done(progress_);
  print_err(fmt::format("\r\x1b[K{}{}", percent ? bar(*percent) : "", line));
  drawn_ = true;
}

}  // namespace cowvet
