#include "tests/bench/measure.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace cowvet::bench {
namespace {

// No input, and all output in a file.
class Redirection {
 public:
  explicit Redirection(const std::string& output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, 1, output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions_, 1, 2);
  }
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;
  ~Redirection() { posix_spawn_file_actions_destroy(&actions_); }

  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

Cost run(const std::vector<std::string>& arguments, const std::string& output) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  const Redirection redirection(output);
  const auto begin = std::chrono::steady_clock::now();
  pid_t child = 0;
  if (const int error = posix_spawnp(&child, argv[0], redirection.get(), nullptr, argv.data(), environ);
      error != 0)
    throw std::system_error(error, std::generic_category(), arguments[0]);
  int status = 0;
  rusage usage{};
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait4");
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  return {.seconds = took.count(),
          .peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024,
          .status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

Summary summarize(std::vector<Cost> costs) {
  if (costs.empty()) return {};
  Summary summary{.status = costs.back().status};
  for (const Cost& cost : costs) summary.peak_bytes = std::max(summary.peak_bytes, cost.peak_bytes);
  const auto middle = costs.begin() + static_cast<std::ptrdiff_t>(costs.size() / 2);
  std::ranges::nth_element(costs, middle, {}, &Cost::seconds);
  summary.seconds = middle->seconds;
  return summary;
}

}  // namespace cowvet::bench
