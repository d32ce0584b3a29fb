// What it takes to read with pread: interrupted calls are made again, short ones continued, and where a large
// one fails, the sector that cannot be read is found. Apart from the system call, so that tests can put
// theirs in its place.
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <expected>
#include <span>

#include "checker/device/device.h"

namespace cowvet {

inline constexpr std::uint64_t kSectorBytes = 512;

// Fills `out` from `offset` by calls of read_at(offset, bytes), which answers as pread does: the number of
// bytes read, 0 at the end of the file, or -1 with errno set. Returns how many bytes there were before the
// end.
//
// A large read fails as a whole when one sector of it cannot be read. It is then made again sector by sector,
// until one fails alone: the error is the same whatever was asked for around it. What can be read this way is
// used.
template <typename ReadAt>
std::expected<std::uint64_t, IoError> read_fully(ReadAt read_at, std::uint64_t offset,
                                                 std::span<std::byte> out) {
  bool by_sector = false;
  for (std::uint64_t done = 0; done < out.size();) {
    const std::uint64_t at = offset + done;
    const std::uint64_t sector_rest = kSectorBytes - at % kSectorBytes;
    const std::uint64_t rest = out.size() - done;
    const std::uint64_t wanted = by_sector ? std::min(rest, sector_rest) : rest;
    const auto got = read_at(at, out.subspan(done, wanted));
    if (got == 0) return done;
    if (got > 0) {
      done += static_cast<std::uint64_t>(got);
    } else if (errno != EINTR) {
      if (wanted <= sector_rest) return std::unexpected(IoError{at, wanted, errno});
      by_sector = true;
    }
  }
  return out.size();
}

}  // namespace cowvet
