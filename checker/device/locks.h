// QEMU's image locks, which are advisory and byte-wise: byte 100 + i says that permission i is held, byte
// 200 + i that permission i is not shared with others. They are open file description locks, all for reading,
// so that a descriptor opened read-only can take them.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace cowvet {

// QEMU's permissions, as bits: i is the bit number.
enum LockPermission : std::uint8_t {
  kLockRead = 1 << 0,  // and rely on what was read to be consistent
  kLockWrite = 1 << 1,
  kLockWriteUnchanged = 1 << 2,
  kLockResize = 1 << 3,
};

// What somebody does with a file, and what nobody else may do meanwhile. All else follows: which bytes to
// hold, and which nobody else may hold.
struct LockPlan {
  std::uint8_t wanted = 0;
  std::uint8_t not_shared = 0;
};

inline constexpr LockPlan kImageCheckLocks{.wanted = kLockRead, .not_shared = kLockWrite | kLockResize};
// QEMU itself lets a second writer onto a data file; we do not: it would change what we compare.
inline constexpr LockPlan kDataFileCheckLocks = kImageCheckLocks;

enum class LockResult : std::uint8_t {
  taken,
  unsupported,  // the file system has no such locks: whether the file is in use cannot be known
};

// What to tell the user about such a result; may be empty.
std::string_view describe(LockResult result);

// The system calls, so that tests can put theirs in their place: 0, or -1 with errno set.
struct LockCalls {
  int (*set)(int descriptor, struct flock& lock);
  int (*get)(int descriptor, struct flock& lock);
};
extern const LockCalls kSystemLockCalls;

// Whether locks are taken on a file, or only those of others looked at, which leaves nothing that anybody
// could see; without, the file is read even when it is in use.
enum class LockUse : std::uint8_t { none, look, take };

// Looks whether somebody's locks are in the way. Errors as for take_locks.
std::expected<LockResult, std::string> look_at_locks(int descriptor, const LockPlan& plan,
                                                     const LockCalls& calls = kSystemLockCalls);

// Takes the locks on a descriptor; they last until it is closed. On conflict nothing stays taken; the error
// is a sentence that says what is in the way and, where the system tells, who holds it.
std::expected<LockResult, std::string> take_locks(int descriptor, const LockPlan& plan,
                                                  const LockCalls& calls = kSystemLockCalls);

// None: `taken`, as nothing is in the way.
std::expected<LockResult, std::string> use_locks(int descriptor, const LockPlan& plan, LockUse use);

}  // namespace cowvet
