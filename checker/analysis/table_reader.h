// Walks a table of 64-bit big-endian entries (L1, L2, refcount table) in bounded pieces. Holes are known to
// be zero and are not read, so that a table's claimed length costs nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/format/endian.h"

namespace cowvet {

// Calls visit(index, value) for each entry of `piece` that is not zero. Most of a small image's tables is
// zero: whole blocks are passed over.
template <typename Visit>
void for_each_in_piece(std::span<const std::byte> piece, Visit visit) {
  constexpr std::size_t kBlockBytes = 512;
  for (std::size_t begin = 0; begin < piece.size(); begin += kBlockBytes) {
    const std::span block = piece.subspan(begin, std::min(kBlockBytes, piece.size() - begin));
    std::uint64_t any = 0;
    for (std::size_t i = 0; i + 8 <= block.size(); i += 8) any |= load_big_endian<std::uint64_t>(&block[i]);
    for (std::size_t i = 0; any != 0 && i + 8 <= block.size(); i += 8)
      if (const auto value = load_big_endian<std::uint64_t>(&block[i])) visit((begin + i) / 8, value);
  }
}

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
    for_each_in_piece(piece,
                      [&](std::uint64_t i, std::uint64_t value) { visit((at - offset) / 8 + i, value); });
    at += length;
  }
  return complete;
}

// The same of L2 entries: of extended ones the first word.
template <typename Visit>
bool for_each_l2_entry(Context& context, std::uint64_t offset, std::uint64_t entries, Visit visit) {
  const std::uint64_t words = context.geometry.l2_entry_bytes / 8;
  return for_each_entry(context, offset, entries * words, {.structure = Structure::l2_table},
                        [&](std::uint64_t word, std::uint64_t raw) {
                          if (word % words == 0) visit(word / words, raw);
                        });
}

}  // namespace cowvet
