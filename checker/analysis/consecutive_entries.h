// Runs in a table of 8-byte big-endian entries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cowvet {

// How many entries from the beginning of `entries` (8 bytes each) are first, first + step, first + 2 * step
// ...
std::uint64_t count_consecutive(std::span<const std::byte> entries, std::uint64_t first, std::uint64_t step);

}  // namespace cowvet
