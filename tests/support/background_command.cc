#include "tests/support/background_command.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace cowvet {
namespace {

constexpr std::chrono::milliseconds kPause{5};
constexpr int kMostPauses = 12'000;  // a minute

}  // namespace

BackgroundCommand::BackgroundCommand(const std::string& script, const std::filesystem::path& directory)
    : output_(std::tmpfile()) {
  int ends[2];
  if (output_ == nullptr || pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no file or pipe");
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("fork failed");
  if (process_ == 0) {
    if (chdir(directory.c_str()) != 0 || dup2(ends[0], 0) < 0) _exit(127);
    if (dup2(fileno(output_), 1) < 0 || dup2(fileno(output_), 2) < 0) _exit(127);
    execl("/bin/sh", "sh", "-ec", script.c_str(), nullptr);
    _exit(127);
  }
  close(ends[0]);
  input_ = ends[1];
}

bool BackgroundCommand::ask(const std::string& line, const std::string& answer) {
  const std::string sent = line + '\n';
  signal(SIGPIPE, SIG_IGN);  // the program may have ended
  if (write(input_, sent.data(), sent.size()) != static_cast<ssize_t>(sent.size())) return false;
  for (int i = 0; i < kMostPauses; ++i) {
    if (output().contains(answer)) return true;
    siginfo_t ended{};
    if (waitid(P_PID, static_cast<id_t>(process_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == process_)
      return false;
    std::this_thread::sleep_for(kPause);
  }
  return false;
}

int BackgroundCommand::finish() {
  if (input_ < 0) return status_;
  close(std::exchange(input_, -1));
  int status = 0;
  for (int i = 0; waitpid(process_, &status, WNOHANG) != process_; ++i) {
    if (i == kMostPauses) kill(process_, SIGKILL);
    std::this_thread::sleep_for(kPause);
  }
  std::fclose(std::exchange(output_, nullptr));
  return status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string BackgroundCommand::output() const {
  std::string text(65536, '\0');
  const ssize_t got = output_ == nullptr ? 0 : pread(fileno(output_), text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text;
}

}  // namespace cowvet
