// Tables whose entries have a length of their own: snapshot table, bitmap directory. Entries are decoded one
// after the other from pieces of the table, so that memory follows the longest entry and not the table.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <vector>

#include "checker/analysis/context.h"

namespace cowvet {

template <typename Decoded>
class EntryReader {
 public:
  // Decodes the entry at the start of the bytes, or says how many it would need.
  using Decode = std::expected<Decoded, std::uint64_t> (*)(std::span<const std::byte>);

  // The table lies in [begin, limit), or ends before `limit`.
  EntryReader(Context& context, Structure structure, std::uint64_t begin, std::uint64_t limit, Decode decode)
      : context_(context),
        structure_(structure),
        at_(begin),
        limit_(limit),
        piece_at_(begin),
        decode_(decode) {}

  // Where the next entry begins.
  std::uint64_t at() const { return at_; }

  // Set when an entry would not end before the limit.
  bool cut_off() const { return cut_off_; }

  // The next entry; nothing where it is cut off, or cannot be read (which is then reported).
  std::optional<Decoded> next() {
    auto decoded = decode_(piece());
    // Twice at most: the bytes of the head say how many the whole needs.
    for (int attempt = 0; !decoded && attempt < 2; ++attempt) {
      cut_off_ = !fits_in(at_, decoded.error(), limit_);
      if (cut_off_ || !read_piece(decoded.error())) return std::nullopt;
      decoded = decode_(piece());
    }
    cut_off_ = !decoded;
    if (cut_off_) return std::nullopt;
    at_ += decoded->entry_bytes;
    return std::move(*decoded);
  }

 private:
  std::span<const std::byte> piece() const {
    const std::uint64_t used = at_ - piece_at_;
    return used < piece_.size() ? std::span(piece_).subspan(used) : std::span<const std::byte>();
  }

  bool read_piece(std::uint64_t needed) {
    constexpr std::uint64_t kPieceBytes = 64 << 10;
    piece_at_ = at_;
    // What lies behind an entry, or behind the whole table, may be broken without harm to it.
    piece_.resize(std::min(std::max(needed, kPieceBytes), limit_ - at_));
    if (!careful_ && context_.image.read(at_, piece_)) return true;
    careful_ = true;
    piece_.resize(std::min(needed, limit_ - at_));
    return context_.read(context_.image, at_, piece_, {.structure = structure_});
  }

  Context& context_;
  Structure structure_;
  std::uint64_t at_;
  std::uint64_t limit_;
  std::uint64_t piece_at_;  // of the bytes in piece_
  Decode decode_;
  bool cut_off_ = false;
  bool careful_ = false;  // something could not be read: no more than is needed is asked for
  std::vector<std::byte> piece_;
};

}  // namespace cowvet
