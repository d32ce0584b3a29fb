#include "checker/device/locks.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "checker/device/file_device.h"
#include "checker/device/lock_holders.h"

namespace cowvet {
namespace {

constexpr int kHeld = 100;
constexpr int kNotShared = 200;
constexpr int kPermissions = 4;

// For each permission of `held` the byte that says it is held, and for each of `not_shared` the other one.
std::vector<int> lock_bytes(std::uint8_t held, std::uint8_t not_shared) {
  std::vector<int> bytes;
  for (int i = 0; i < kPermissions; ++i)
    if ((held >> i & 1) != 0) bytes.push_back(kHeld + i);
  for (int i = 0; i < kPermissions; ++i)
    if ((not_shared >> i & 1) != 0) bytes.push_back(kNotShared + i);
  return bytes;
}

std::string meaning_of(int byte, const struct flock& lock) {
  // Others than QEMU may lock the file as a whole.
  if (lock.l_start < kHeld || lock.l_len == 0) return "has it locked as a whole";
  constexpr std::string_view kUses[] = {"reading", "writing", "rewriting", "resizing"};
  return byte < kNotShared ? fmt::format("has it open for {}", kUses[byte - kHeld])
                           : fmt::format("keeps others from {} it", kUses[byte - kNotShared]);
}

struct flock one_byte(int byte, short type) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

bool means_unsupported(int code) {
  // EINVAL: the kernel or file system has locks, but not of this kind.
  return code == ENOLCK || code == EOPNOTSUPP || code == ENOSYS || code == EINVAL;
}

int call(int (*function)(int, struct flock&), int descriptor, struct flock& lock) {
  int result = -1;
  do {
    result = function(descriptor, lock);
  } while (result < 0 && errno == EINTR);
  return result;
}

// The locks of one descriptor while they are being taken.
class Taking {
 public:
  Taking(int descriptor, const LockPlan& plan, const LockCalls& calls)
      : descriptor_(descriptor),
        own_(lock_bytes(plan.wanted, plan.not_shared)),
        others_(lock_bytes(plan.not_shared, plan.wanted)),
        calls_(calls) {}

  // First our own, then look: of two who come at once, at least one sees the other.
  std::expected<LockResult, std::string> run() {
    auto result = take_own();
    if (result && *result == LockResult::taken) result = find_others();
    if (!result || *result != LockResult::taken) release();
    return result;
  }

  std::expected<LockResult, std::string> look() const { return find_others(); }

 private:
  std::expected<LockResult, std::string> take_own() {
    for (const int byte : own_) {
      struct flock lock = one_byte(byte, F_RDLCK);
      if (call(calls_.set, descriptor_, lock) == 0) continue;
      if (errno != EAGAIN && errno != EACCES) return failed(byte, errno);
      if (call(calls_.get, descriptor_, lock) != 0 || lock.l_type == F_UNLCK) lock.l_pid = 0;
      return in_use("has it locked for itself", byte, lock);  // QEMU locks for reading only
    }
    return LockResult::taken;
  }

  std::expected<LockResult, std::string> find_others() const {
    for (const int byte : others_) {
      struct flock lock = one_byte(byte, F_WRLCK);
      if (call(calls_.get, descriptor_, lock) != 0) return failed(byte, errno);
      if (lock.l_type != F_UNLCK) return in_use(meaning_of(byte, lock), byte, lock);
    }
    return LockResult::taken;
  }

  void release() {
    for (const int byte : own_) {
      struct flock lock = one_byte(byte, F_UNLCK);
      call(calls_.set, descriptor_, lock);
    }
  }

  static std::expected<LockResult, std::string> failed(int byte, int code) {
    if (means_unsupported(code)) return LockResult::unsupported;
    return std::unexpected(fmt::format("lock byte {} cannot be examined: {}", byte, describe_errno(code)));
  }

  std::unexpected<std::string> in_use(std::string_view how, int byte, const struct flock& lock) const {
    std::string message = fmt::format("in use: another process {} (lock byte {})", how, byte);
    // Open file description locks belong to no process as far as fcntl says.
    const std::string holders =
        lock.l_pid > 0 ? describe_process(lock.l_pid) : find_lock_holders(descriptor_, byte);
    if (!holders.empty()) message += ": " + holders;
    return std::unexpected(std::move(message));
  }

  int descriptor_;
  std::vector<int> own_;     // bytes to hold
  std::vector<int> others_;  // bytes that nobody else may hold
  const LockCalls& calls_;
};

}  // namespace

const LockCalls kSystemLockCalls{
    .set = [](int descriptor, struct flock& lock) { return fcntl(descriptor, F_OFD_SETLK, &lock); },
    .get = [](int descriptor, struct flock& lock) { return fcntl(descriptor, F_OFD_GETLK, &lock); }};

std::string_view describe(LockResult result) {
  return result == LockResult::taken
             ? ""
             : "its file system has no locks: whether another process changes it meanwhile cannot be known";
}

std::expected<LockResult, std::string> take_locks(int descriptor, const LockPlan& plan,
                                                  const LockCalls& calls) {
  return Taking(descriptor, plan, calls).run();
}

std::expected<LockResult, std::string> look_at_locks(int descriptor, const LockPlan& plan,
                                                     const LockCalls& calls) {
  return Taking(descriptor, plan, calls).look();
}

std::expected<LockResult, std::string> use_locks(int descriptor, const LockPlan& plan, LockUse use) {
  switch (use) {
    case LockUse::none:
      return LockResult::taken;
    case LockUse::look:
      return look_at_locks(descriptor, plan);
    case LockUse::take:
      break;
  }
  return take_locks(descriptor, plan);
}

}  // namespace cowvet
