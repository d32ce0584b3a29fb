#include "checker/device/locks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "checker/device/file_device.h"

namespace cowvet {
namespace {

constexpr std::uint8_t kImageHeld[] = {100, 201, 203};
constexpr std::uint8_t kImageTested[] = {200, 101, 103};
// QEMU itself shares writing on a data file; we do not: a writer would change what we compare.
constexpr std::uint8_t kDataHeld[] = {100, 201, 203};
constexpr std::uint8_t kDataTested[] = {200, 101, 103};

constexpr std::string_view kPermissions[] = {"consistent reading", "writing", "unchanged writing",
                                             "resizing"};

std::string meaning_of(std::uint8_t byte) {
  const bool unshared = byte >= 200;
  const std::string_view permission = kPermissions[byte % 100 % std::size(kPermissions)];
  return unshared ? fmt::format("another process does not share {}", permission)
                  : fmt::format("another process has it open for {}", permission);
}

struct flock one_byte(std::uint8_t byte, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

void release(int descriptor, const LockPlan& plan) {
  for (const std::uint8_t byte : plan.held) {
    struct flock lock = one_byte(byte, F_UNLCK);
    fcntl(descriptor, F_OFD_SETLK, &lock);
  }
}

bool is_same_file(const std::filesystem::path& link, const struct stat& file) {
  struct stat other{};
  return stat(link.c_str(), &other) == 0 && other.st_dev == file.st_dev && other.st_ino == file.st_ino;
}

// Open file description locks have no owner in the kernel's answer. Whoever else has the file open is a good
// guess, as far as this user may look.
std::string guess_holders(int descriptor) {
  struct stat file{};
  if (fstat(descriptor, &file) != 0) return {};
  std::string holders;
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string id = process.path().filename();
    if (id.find_first_not_of("0123456789") != std::string::npos || id == std::to_string(getpid())) continue;
    for (const auto& link : std::filesystem::directory_iterator(process.path() / "fd", ignored)) {
      if (!is_same_file(link.path(), file)) continue;
      std::string command;
      std::getline(std::ifstream(process.path() / "comm"), command);
      holders += fmt::format("{}{} (process {})", holders.empty() ? "" : ", ", command, id);
      break;
    }
  }
  return holders;
}

std::string describe_conflict(int descriptor, const struct flock& lock, std::uint8_t byte) {
  std::string who = lock.l_pid > 0 ? fmt::format("process {}", lock.l_pid) : guess_holders(descriptor);
  if (!who.empty()) who = "; open in " + who;
  return fmt::format("in use: lock byte {} is held ({}){}", byte, meaning_of(byte), who);
}

}  // namespace

const LockPlan kImageCheckLocks{kImageHeld, kImageTested};
const LockPlan kDataFileCheckLocks{kDataHeld, kDataTested};

std::expected<LockResult, std::string> take_locks(int descriptor, const LockPlan& plan) {
  // First our own, then look: of two who come at once, at least one sees the other.
  for (const std::uint8_t byte : plan.held) {
    struct flock lock = one_byte(byte, F_RDLCK);
    if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0) continue;
    const int code = errno;
    release(descriptor, plan);
    if (code == ENOLCK || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL)
      return LockResult::unsupported;
    if (code != EAGAIN && code != EACCES)
      return std::unexpected(fmt::format("lock byte {} cannot be taken: {}", byte, describe_errno(code)));
    // Somebody else locks for writing, which QEMU never does.
    return std::unexpected(describe_conflict(descriptor, one_byte(byte, F_WRLCK), byte));
  }
  for (const std::uint8_t byte : plan.tested) {
    struct flock lock = one_byte(byte, F_WRLCK);
    if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) continue;
    std::string conflict = describe_conflict(descriptor, lock, byte);
    release(descriptor, plan);
    return std::unexpected(std::move(conflict));
  }
  return LockResult::taken;
}

}  // namespace cowvet
