#include "checker/cli/time_limit.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "checker/cli/command_line.h"
#include "checker/report/verdict.h"

namespace cowvet {
namespace {

using namespace std::chrono_literals;

constexpr auto kMostReaderPause = 2s;  // of who reads what is printed, when the time is over
constexpr std::size_t kPieceBytes = 4096;

// For the signal handler.
std::string message_at_end;
std::string text_at_end;

// The reader of what is printed at the end has gone away.
void end_process(int /*signal*/) {
  _exit(kExitIncomplete);
}

// Only what a signal handler may call.
void say_so_and_end_process(int /*signal*/) {
  std::signal(SIGALRM, end_process);
  for (const auto& [file, text] : {std::pair(STDERR_FILENO, std::string_view(message_at_end)),
                                   std::pair(STDOUT_FILENO, std::string_view(text_at_end))})
    for (std::size_t done = 0; done < text.size();) {
      alarm(std::chrono::seconds(kMostReaderPause).count());
      const ssize_t written = write(file, text.data() + done, std::min(kPieceBytes, text.size() - done));
      if (written <= 0) break;
      done += static_cast<std::size_t>(written);
    }
  _exit(kExitIncomplete);
}

void catch_alarm(void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_NODEFER;  // the handler itself is interrupted by the next one
  sigaction(SIGALRM, &action, nullptr);
  // A caller may have left it blocked.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void send_alarm_after(std::chrono::nanoseconds time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto rest = std::chrono::ceil<std::chrono::microseconds>(time - seconds);  // not 0, which is never
  const itimerval timer{.it_interval = {}, .it_value = {seconds.count(), std::min(rest, 999'999us).count()}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

TimeLimit::TimeLimit(std::chrono::nanoseconds time) : time_(time), end_(Clock::now() + time) {}

void TimeLimit::stop() {
  if (time_ != 0s) alarm(0);
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    done_ = true;
  }
  in_time_.notify_one();
  thread_.join();
}

void TimeLimit::start_without_thread(std::string message, std::string text) {
  if (time_ == 0s) return;
  message_at_end = std::move(message);
  text_at_end = std::move(text);
  catch_alarm(say_so_and_end_process);
  send_alarm_after(time_);
}

void TimeLimit::start(std::function<bool()> say_so) {
  if (time_ == 0s) return;
  alarm(0);
  say_so_ = std::move(say_so);
  thread_ = std::thread([this] { wait(); });
}

bool TimeLimit::print(std::string_view text) {
  if (time_ == 0s) return print_out(text);
  bool printed = true;
  while (printed && !text.empty()) {
    written_at_ = Clock::now().time_since_epoch().count();
    printed = print_out(text.substr(0, kPieceBytes));
    text.remove_prefix(std::min(kPieceBytes, text.size()));
  }
  written_at_ = 0;
  return printed;
}

void TimeLimit::wait() {
  std::unique_lock lock(mutex_);
  if (in_time_.wait_until(lock, end_, [this] { return done_; })) return;
  std::jthread saying([this] { end_process_behind(say_so_); });
  // Until the whole program has ended in time after all.
  while (!in_time_.wait_for(lock, 100ms, [this] { return done_; }))
    if (reader_is_gone()) _exit(kExitIncomplete);
}

void TimeLimit::end_process_behind(const std::function<bool()>& say_so) {
  if (say_so()) _exit(kExitIncomplete);
}

bool TimeLimit::reader_is_gone() const {
  const Clock::rep written_at = written_at_;
  // Nobody hurries a reader before the time is over.
  const auto waiting_since = std::max(end_, Clock::time_point(Clock::duration(written_at)));
  return written_at != 0 && Clock::now() - waiting_since > kMostReaderPause;
}

}  // namespace cowvet
