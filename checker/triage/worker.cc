#include "checker/triage/worker.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

namespace cowvet {
namespace {

// Until there are no more names.
void serve(int socket, const Examine& examine) {
  std::string names;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t received = recv(socket, buffer, sizeof buffer, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return;
    names.append(buffer, static_cast<std::size_t>(received));
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = names.find('\0', begin)) != std::string::npos; begin = end + 1)
      if (!send_all(socket, result_line(examine(names.substr(begin, end - begin))))) return;
    names.erase(0, begin);
  }
}

// What the process has mapped already does not count: it may be much, and is shared with the program.
void limit_memory(std::uint64_t bytes) {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlim_t limit = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) + bytes;
  const rlimit both{limit, limit};
  setrlimit(RLIMIT_AS, &both);
}

[[noreturn]] void run_worker(int socket, const Examine& examine, std::uint64_t max_memory_bytes) {
  // It must not outlive the program, nor hold what belongs to it: the other workers' sockets above all.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int kept = STDERR_FILENO + 1;
  if (socket != kept) dup2(socket, kept);
  close_range(kept + 1, ~0u, 0);
  const rlimit no_core{0, 0};  // thousands of images may crash
  setrlimit(RLIMIT_CORE, &no_core);
  if (max_memory_bytes != 0) limit_memory(max_memory_bytes);
  int status = 0;
  try {
    serve(kept, examine);
  } catch (...) {  // as good as a crash; to unwind into the program's own frames would be worse
    status = 1;
  }
  _exit(status);
}

}  // namespace

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::expected<WorkerProcess, int> start_worker(const Examine& examine, std::uint64_t max_memory_bytes) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return std::unexpected(errno);
  WorkerProcess worker{.process = -1, .socket = Descriptor(ends[0])};
  const Descriptor theirs(ends[1]);
  worker.process = fork();
  if (worker.process < 0) return std::unexpected(errno);
  if (worker.process == 0) run_worker(theirs.get(), examine, max_memory_bytes);
  return worker;
}

}  // namespace cowvet
