// What it takes to write with pwrite: interrupted calls are made again, short ones continued.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <expected>
#include <span>

#include "checker/device/device.h"

namespace cowvet {

// All of `bytes` from `offset` on. The error names what is missing; ENOSPC where nothing more can be written,
// as behind the end of a block device.
inline std::expected<void, IoError> write_fully(int descriptor, std::uint64_t offset,
                                                std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return std::unexpected(IoError{offset, bytes.size(), put < 0 ? errno : ENOSPC});
    offset += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace cowvet
