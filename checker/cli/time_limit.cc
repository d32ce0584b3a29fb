#include "checker/cli/time_limit.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "checker/report/verdict.h"

namespace cowvet {
namespace {

// Only what a signal handler may call: any thread may hold any lock now.
void give_up(int /*signal*/) {
  constexpr std::string_view kMessage = "cowvet: not verified: the time given by --timeout is over\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kMessage.data(), kMessage.size());
  _exit(kExitIncomplete);
}

}  // namespace

void limit_time(unsigned seconds) {
  if (seconds == 0) return;
  struct sigaction action{};
  action.sa_handler = give_up;
  sigaction(SIGALRM, &action, nullptr);
  // A caller may have left it blocked or ignored.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  alarm(seconds);
}

}  // namespace cowvet
