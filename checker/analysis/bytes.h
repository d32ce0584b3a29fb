// Plain questions about bytes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>

namespace cowvet {

// How many zero bytes `bytes` begins with.
inline std::size_t leading_zeros(std::span<const std::byte> bytes) {
  // Blocks are compared with zeros at the speed of memory; only the one that differs is looked at closely.
  static constexpr std::byte kZeros[4096]{};
  std::size_t done = 0;
  while (done < bytes.size()) {
    const std::size_t length = std::min(bytes.size() - done, sizeof kZeros);
    if (std::memcmp(bytes.data() + done, kZeros, length) != 0) break;
    done += length;
  }
  while (done < bytes.size() && bytes[done] == std::byte{0}) ++done;
  return done;
}

}  // namespace cowvet
