#include "repair/cli/stop_signals.h"

#include <pthread.h>

namespace cowvet {
namespace {

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

}  // namespace

StopSignals::StopSignals() {
  sigemptyset(&watched_);
  for (const int number : kSignals) {
    struct sigaction action{};
    if (sigaction(number, nullptr, &action) == 0 && action.sa_handler != SIG_IGN)
      sigaddset(&watched_, number);
  }
  pthread_sigmask(SIG_BLOCK, &watched_, nullptr);
}

bool StopSignals::is_requested() const {
  sigset_t pending;
  if (sigpending(&pending) != 0) return false;
  for (const int number : kSignals)
    if (sigismember(&watched_, number) == 1 && sigismember(&pending, number) == 1) return true;
  return false;
}

void ignore_write_signals() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace cowvet
