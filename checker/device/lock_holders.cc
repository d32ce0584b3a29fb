// The kernel shows the locks of each descriptor in /proc/PROCESS/fdinfo/DESCRIPTOR, one in a line:
//
//   lock:   1: OFDLCK  ADVISORY  READ  -1 fe:00:262305 100 101
//
// That is a number, kind, strength, type, process, file, and the first and last byte (or EOF).
#include "checker/device/lock_holders.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

namespace cowvet {
namespace {

namespace fs = std::filesystem;

struct LockLine {
  std::string file;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::optional<LockLine> parse(const std::string& line) {
  std::istringstream words(line);
  std::string label, kind, ignored, last;
  LockLine lock;
  words >> label >> ignored >> kind >> ignored >> ignored >> ignored >> lock.file >> lock.first >> last;
  // Leases and locks of whole files by flock() are another matter.
  if (!words || label != "lock:" || (kind != "OFDLCK" && kind != "POSIX")) return std::nullopt;
  lock.last = ~std::uint64_t{0};
  if (last != "EOF") std::from_chars(last.data(), last.data() + last.size(), lock.last);
  return lock;
}

std::vector<LockLine> locks_of(const fs::path& description) {
  std::vector<LockLine> locks;
  std::ifstream in(description);
  for (std::string line; std::getline(in, line);)
    if (auto lock = parse(line)) locks.push_back(*std::move(lock));
  return locks;
}

fs::path own_description(int descriptor) {
  return fmt::format("/proc/{}/fdinfo/{}", getpid(), descriptor);
}

// What the kernel calls the file in these lines. A file system may tell fstat another device than the kernel
// knows: a lock that the descriptor holds itself is the better source.
std::string file_of(int descriptor) {
  if (const auto own = locks_of(own_description(descriptor)); !own.empty()) return own.front().file;
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return {};
  return fmt::format("{:02x}:{:02x}:{}", major(status.st_dev), minor(status.st_dev), status.st_ino);
}

// A directory of /proc; empty where it has gone or may not be read.
std::vector<fs::path> entries(const fs::path& directory) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    paths.push_back(at->path());
  return paths;
}

}  // namespace

std::string describe_process(pid_t process) {
  std::string command;
  std::getline(std::ifstream(fmt::format("/proc/{}/comm", process)), command);
  return fmt::format("{}{}process {}{}", command, command.empty() ? "" : " (", process,
                     command.empty() ? "" : ")");
}

std::string find_lock_holders(int descriptor, std::uint64_t byte) {
  const std::string file = file_of(descriptor);
  const fs::path own = own_description(descriptor);
  std::string holders;
  for (const fs::path& process : entries("/proc")) {
    const std::string number = process.filename();
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    const bool holds = std::ranges::any_of(entries(process / "fdinfo"), [&](const fs::path& description) {
      return description != own && std::ranges::any_of(locks_of(description), [&](const LockLine& lock) {
               return lock.file == file && lock.first <= byte && byte <= lock.last;
             });
    });
    if (holds) holders += (holders.empty() ? "" : ", ") + describe_process(std::stoi(number));
  }
  return holders;
}

}  // namespace cowvet
