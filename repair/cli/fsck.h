// cowvet-repair under the name fsck.qcow2, as fsck(8) calls it: "fsck -t qcow2 /PATH/IMAGE".
#pragma once

#include <string_view>

#include "repair/cli/options.h"
#include "repair/cli/outcome.h"

namespace cowvet {

// Whether a program that was started by this name shall behave so.
bool is_fsck_name(std::string_view program);

// The bits of fsck(8).
inline constexpr int kFsckSound = 0;
inline constexpr int kFsckCorrected = 1;
inline constexpr int kFsckUncorrected = 4;
inline constexpr int kFsckFailed = 8;
inline constexpr int kFsckUsage = 16;

// Wasted space counts as an error, as everywhere.
int fsck_status_of(const Outcome& outcome);

// The whole program: returns the exit status.
int run_fsck(const Arguments& arguments);

}  // namespace cowvet
