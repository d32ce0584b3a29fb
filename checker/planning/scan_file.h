// Reading a file of which nobody knows yet where its clusters begin.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "checker/device/device.h"
#include "checker/device/read_fully.h"

namespace cowvet {

// Up to the end of the file; what is missing reads as zeros. Empty: cannot be read.
std::vector<std::byte> read_padded(const Device& image, std::uint64_t offset, std::uint64_t bytes);

// Calls visit(offset, bytes) for pieces of the file that are not holes; offsets are multiples of a sector.
template <typename Visit>
void for_each_piece(const Device& image, Visit visit) {
  constexpr std::uint64_t kPiece = 1 << 20;
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < image.size_bytes();) {
    const DataExtent data = image.next_data(at);
    if (data.begin >= image.size_bytes()) return;
    at = std::max(at, data.begin / kSectorBytes * kSectorBytes);
    const std::uint64_t length = std::min({kPiece, data.end - at, image.size_bytes() - at});
    piece.resize(length);
    if (image.read(at, piece)) visit(at, std::span<const std::byte>(piece));
    at += length;
  }
}

}  // namespace cowvet
