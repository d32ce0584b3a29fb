#include "checker/device/beneath.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace cowvet {
namespace {

constexpr int kDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;

// A container's filter of system calls may say EPERM of what it does not know.
bool means_unsupported(int code) {
  return code == ENOSYS || code == EPERM;
}

// ".." goes back to the directory that was opened, not to what is its parent by now.
Descriptor walk(int root, const std::vector<std::string>& components) {
  std::vector<Descriptor> opened;
  opened.emplace_back(openat(root, ".", kDirectory));
  for (const std::string& component : components) {
    if (!opened.back()) break;
    if (component != "..") {
      opened.emplace_back(openat(opened.back().get(), component.c_str(), kDirectory | O_NOFOLLOW));
      continue;
    }
    opened.pop_back();
    if (opened.empty()) {
      errno = EXDEV;
      return Descriptor();
    }
  }
  return std::move(opened.back());
}

}  // namespace

// The C library has no function for it.
int open_beneath(int root, const char* path) {
  open_how how{};
  how.flags = kDirectory;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, root, path, &how, sizeof how));
}

Descriptor open_directory_beneath(int root, const std::vector<std::string>& components, OpenBeneath kernel) {
  const std::string path = components.empty() ? "." : fmt::format("{}", fmt::join(components, "/"));
  // EAGAIN: something was renamed meanwhile, so that the kernel could not make sure of a "..".
  constexpr int kMostAttempts = 100;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const int opened = kernel(root, path.c_str());
    if (opened >= 0) return Descriptor(opened);
    if (means_unsupported(errno)) return walk(root, components);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return Descriptor();
}

}  // namespace cowvet
