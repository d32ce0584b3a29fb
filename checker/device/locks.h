// QEMU's image locks, which are advisory and byte-wise: byte 100 + i says that permission i is held, byte
// 200 + i that permission i is not shared with others. They are open file description locks, all for reading,
// so that a descriptor opened read-only can take them.
#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <string>

namespace cowvet {

// Which bytes to hold, and which nobody else may hold.
struct LockPlan {
  std::span<const std::uint8_t> held;
  std::span<const std::uint8_t> tested;
};

// Consistent reading; no other may write or resize.
extern const LockPlan kImageCheckLocks;
extern const LockPlan kDataFileCheckLocks;

enum class LockResult : std::uint8_t {
  taken,
  unsupported,  // the file system has no such locks: nobody else can hold any
};

// Takes the locks on a descriptor; they last until it is closed. On conflict nothing stays taken; the error
// is a sentence that says which byte is in the way, what it means and, where the system tells, who holds it.
std::expected<LockResult, std::string> take_locks(int descriptor, const LockPlan& plan);

}  // namespace cowvet
