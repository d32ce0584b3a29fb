#include "checker/analysis/l2_reader.h"

#include <algorithm>
#include <cstring>

namespace cowvet {

std::span<const std::byte> L2Reader::read(std::uint64_t offset, std::uint64_t length, const Place& place) {
  if (hole_.begin <= offset && offset + length <= hole_.end) return {};
  if (buffer_.size() < length) buffer_.resize(length);
  const std::span out(buffer_.data(), length);
  if (!context_.image.read(offset, out)) {
    read_in_pieces(offset, out, place);
    return out;
  }
  // Only a table of zeros is worth the question whether it, and what follows, is a hole.
  const bool zero = out[0] == std::byte{0} && std::memcmp(out.data(), out.data() + 1, length - 1) == 0;
  if (!zero) return out;
  hole_ = {offset, context_.image.next_data(offset).begin};
  return {};
}

// What can be read of a broken place is examined; what cannot is reported and skipped.
void L2Reader::read_in_pieces(std::uint64_t offset, std::span<std::byte> out, const Place& place) {
  constexpr std::uint64_t kPieceBytes = 4096;
  for (std::uint64_t at = 0; at < out.size(); at += kPieceBytes) {
    const std::span piece = out.subspan(at, std::min(kPieceBytes, out.size() - at));
    const bool read = report_ ? context_.read(context_.image, offset + at, piece, place)
                              : context_.image.read(offset + at, piece).has_value();
    if (read) continue;
    std::ranges::fill(piece, std::byte{0});
    complete_ = false;
  }
}

}  // namespace cowvet
