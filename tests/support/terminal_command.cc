#include "tests/support/terminal_command.h"

#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace cowvet {
namespace {

constexpr int kMostMilliseconds = 60'000;  // without a sign of life

// As who logs in has them. Tests that a shell started in the background were made to ignore the keys that
// interrupt, and so would be what they start.
void take_default_signals() {
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGTSTP}) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

CommandResult run_at_terminal(const std::string& script, const std::filesystem::path& directory,
                              const std::string& question, const std::string& answer) {
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child < 0) throw std::system_error(errno, std::generic_category(), "forkpty");
  if (child == 0) {
    take_default_signals();
    if (chdir(directory.c_str()) != 0) _exit(127);
    execl("/bin/sh", "sh", "-ec", script.c_str(), nullptr);
    _exit(127);
  }
  CommandResult result;
  bool answered = false;
  char buffer[4096];
  while (true) {
    struct pollfd ready{.fd = terminal, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kMostMilliseconds) == 0) kill(child, SIGKILL);
    const ssize_t got = read(terminal, buffer, sizeof buffer);
    if (got <= 0) break;  // EIO: nobody has the terminal open any more
    result.out.append(buffer, static_cast<std::size_t>(got));
    if (!answered && result.out.contains(question))
      answered = ::write(terminal, answer.data(), answer.size()) >= 0;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  close(terminal);
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace cowvet
