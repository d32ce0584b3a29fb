#include "checker/sandbox/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "checker/device/descriptor.h"
#include "checker/device/file_device.h"

namespace cowvet {
namespace {

// Newer than the headers of Debian 12, from version 3 of the interface on.
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14;

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kReadBelow = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

// All that this version can refuse.
std::uint64_t refusable(long version) {
  std::uint64_t rights = (std::uint64_t{LANDLOCK_ACCESS_FS_MAKE_SYM} << 1) - 1;
  if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rights |= kTruncate;
  return rights;
}

// Where the C library counts them.
constexpr const char* kProcessors = "/sys/devices/system/cpu/online";

// What is not there cannot be read in any case.
bool allow_reading(int rules, const std::string& path, std::uint64_t rights) {
  const Descriptor file(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file) return true;
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return false;
  if (!S_ISDIR(status.st_mode)) rights &= kReadFile;
  const landlock_path_beneath_attr rule{.allowed_access = rights, .parent_fd = file.get()};
  return syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
}

}  // namespace

std::expected<std::string, std::string> enter_landlock(const SandboxNeeds& needs) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  const auto failed = [] { return std::unexpected(fmt::format("no Landlock: {}", describe_errno(errno))); };
  if (version < 1) return failed();
  const landlock_ruleset_attr refused{.handled_access_fs = refusable(version)};
  const Descriptor rules(static_cast<int>(syscall(SYS_landlock_create_ruleset, &refused, sizeof refused, 0)));
  if (!rules) return failed();
  if (!allow_reading(rules.get(), kProcessors, kReadFile)) return failed();
  for (const std::string& path : needs.files)
    if (!allow_reading(rules.get(), path, kReadFile)) return failed();
  if (needs.network && !allow_reading(rules.get(), "/", kReadBelow)) return failed();
  for (const std::string& path : needs.directories)
    if (!allow_reading(rules.get(), path, kReadBelow)) return failed();
  if (syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) return failed();
  return fmt::format("Landlock (version {})", version);
}

}  // namespace cowvet
