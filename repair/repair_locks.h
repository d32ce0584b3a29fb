// What a repair asks of QEMU's image locks (checker/device/locks.h): nobody else may have the file open.
#pragma once

#include "checker/device/locks.h"

namespace cowvet {

// Bytes 100 101 103 201 203 are held, and 200 201 203 101 103 must be free. A data file is locked the same
// way: QEMU itself would share it with a second writer.
inline constexpr LockPlan kRepairLocks{.wanted = kLockRead | kLockWrite | kLockResize,
                                       .not_shared = kLockWrite | kLockResize};

}  // namespace cowvet
