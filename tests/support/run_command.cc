#include "tests/support/run_command.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <stdexcept>
#include <system_error>

namespace cowvet {
namespace {

// Unnamed files catch the output: unlike pipes they never fill up.
class OutputFile {
 public:
  OutputFile() : file_(std::tmpfile()) {
    if (file_ == nullptr) throw std::system_error(errno, std::generic_category(), "tmpfile");
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() { std::fclose(file_); }

  int descriptor() const { return fileno(file_); }

  std::string text() const {
    std::string text;
    char buffer[65536];
    ssize_t got = 0;
    while ((got = pread(descriptor(), buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0)
      text.append(buffer, static_cast<std::size_t>(got));
    return text;
  }

 private:
  std::FILE* file_;
};

}  // namespace

CommandResult run_script(const std::string& script, const std::filesystem::path& directory) {
  const OutputFile out;
  const OutputFile err;
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (child == 0) {
    if (chdir(directory.c_str()) != 0 || std::freopen("/dev/null", "r", stdin) == nullptr) _exit(127);
    if (dup2(out.descriptor(), 1) < 0 || dup2(err.descriptor(), 2) < 0) _exit(127);
    execl("/bin/sh", "sh", "-ec", script.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
  return {.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          .out = out.text(),
          .err = err.text()};
}

std::string shell_quote(const std::string& word) {
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') quoted += "'\\'";
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace cowvet
