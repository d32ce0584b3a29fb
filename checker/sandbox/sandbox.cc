#include "checker/sandbox/sandbox.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <expected>
#include <utility>

#include "checker/device/file_device.h"
#include "checker/sandbox/landlock.h"
#include "checker/sandbox/seccomp_filters.h"

namespace cowvet {
namespace {

// What is in force from now on, or why nothing is.
std::expected<std::string, std::string> enter_seccomp(const SandboxNeeds& needs, bool landlock) {
  const std::span<const sock_filter> made = seccomp_filter(landlock, needs.network);
  std::vector<sock_filter> filter(made.begin(), made.end());
  for (sock_filter& instruction : filter)
    if (instruction.k == kThisProcess) instruction.k = static_cast<std::uint32_t>(getpid());
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()), .filter = filter.data()};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
    return std::unexpected(fmt::format("no seccomp: {}", describe_errno(errno)));
  return "seccomp";
}

}  // namespace

std::string enter_sandbox(const SandboxNeeds& needs) {
  if (!COWVET_SANDBOX) return "none, it was left out of this build";
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fmt::format("no Landlock, no seccomp: {}", describe_errno(errno));
  const auto landlock = enter_landlock(needs);
  const auto seccomp = enter_seccomp(needs, landlock.has_value());
  return fmt::format("{}, {}", landlock ? *landlock : landlock.error(), seccomp ? *seccomp : seccomp.error());
}

void need_image(SandboxNeeds& needs, const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  needs.files.push_back(path);
  if (needs.directories.empty() || needs.directories.back() != directory)
    needs.directories.push_back(std::move(directory));
}

}  // namespace cowvet
