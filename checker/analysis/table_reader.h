// Walks a table of 64-bit big-endian entries (L1, refcount table) in bounded pieces. Holes are known to be
// zero and are not read, so that a table's claimed length costs nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/format/endian.h"

namespace cowvet {

// Calls visit(index, value) for each entry that is not zero. `place` names the table for file/unreadable.
// False: some entries could not be read (reported); all others were visited.
template <typename Visit>
bool for_each_entry(Context& context, std::uint64_t offset, std::uint64_t entries, const Place& place,
                    Visit visit) {
  constexpr std::uint64_t kPieceBytes = std::uint64_t{64} << 10;
  std::vector<std::byte> piece;
  bool complete = true;
  const std::uint64_t end = std::min(offset + entries * 8, context.geometry.file_bytes);
  for (std::uint64_t at = offset; at < end;) {
    const DataExtent data = context.image.next_data(at);
    if (data.begin >= end) break;
    at = std::max(at, offset + (data.begin - std::min(data.begin, offset)) / 8 * 8);
    // The last entry may be cut by the end of the file: what is missing reads as zeros.
    const std::uint64_t length = std::min({kPieceBytes, divide_up(std::min(end, data.end) - at, 8) * 8});
    piece.resize(length);
    if (context.read_in_pieces(context.image, at, piece, place) != length) complete = false;
    for (std::uint64_t i = 0; i < length; i += 8)
      if (const auto value = load_big_endian<std::uint64_t>(piece.data() + i))
        visit((at - offset + i) / 8, value);
    at += length;
  }
  return complete;
}

}  // namespace cowvet
