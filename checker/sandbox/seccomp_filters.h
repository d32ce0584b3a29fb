// The filters of system calls, as write_seccomp_filters.cc makes them when cowvet is built.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>

namespace cowvet {

// Stands in the filters for the number of the process that they are for.
inline constexpr std::uint32_t kThisProcess = 0x7e57ab1e;

// `landlock`: Landlock is in force. `network`: as in SandboxNeeds.
std::span<const sock_filter> seccomp_filter(bool landlock, bool network);

}  // namespace cowvet
