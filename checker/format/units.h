// The three number lines of an image, as different types: a byte in the image file (or data file), a byte of
// the virtual disk, and a cluster of the image file. Mixing them up is the classic mistake of this format.
#pragma once

#include <compare>
#include <cstdint>

namespace cowvet {

// A byte position in a host file.
struct HostOffset {
  std::uint64_t bytes = 0;
  auto operator<=>(const HostOffset&) const = default;
};

// A byte position on the virtual disk (or in the VM state behind it).
struct GuestOffset {
  std::uint64_t bytes = 0;
  auto operator<=>(const GuestOffset&) const = default;
};

// The number of a cluster of the image file: host offset divided by the cluster size.
struct HostCluster {
  std::uint64_t index = 0;
  auto operator<=>(const HostCluster&) const = default;
};

// A range of the virtual disk, in bytes.
struct GuestRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  auto operator<=>(const GuestRange&) const = default;
};

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
  return value / by + (value % by != 0);
}

// Whether [offset, offset + length) lies inside [0, limit), without overflow.
constexpr bool fits_in(std::uint64_t offset, std::uint64_t length, std::uint64_t limit) {
  return offset <= limit && length <= limit - offset;
}

}  // namespace cowvet
