// Bytes that are to be written, held as compactly as they can be made again: rebuilt tables are mostly
// sequences of numbers, and what is copied is there already. Copies of a Content share what it holds.
//
//   literal    the bytes themselves
//   sequence   numbers of 1, 2, 4 or 8 bytes, big-endian, each larger than the last by the same: by 0 for a
//              pattern, by a cluster for the entries of a table
//   copy       of a place in the original, the file as it is without any change
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

struct LiteralBytes {
  std::shared_ptr<const std::vector<std::byte>> bytes;
  std::uint64_t begin = 0;  // of the piece in `bytes`
};

struct NumberSequence {
  unsigned unit_bytes = 1;
  std::uint64_t first = 0;
  std::uint64_t stride = 0;
  bool operator==(const NumberSequence&) const = default;

  std::uint64_t at(std::uint64_t index) const;  // wraps as the unit does
};

struct OriginalBytes {
  std::uint64_t offset = 0;  // in the original
  std::uint64_t hash = 0;    // XXH3 of all of the piece, where it was computed
  bool operator==(const OriginalBytes&) const = default;
};

class Content {
 public:
  using Source = std::variant<LiteralBytes, NumberSequence, OriginalBytes>;
  struct Piece {
    Source source;
    std::uint64_t length = 0;  // bytes; of a sequence whole numbers
    std::uint64_t end = 0;     // in the content
    bool operator==(const Piece& other) const;
  };

  Content() = default;
  // NOLINTBEGIN(google-explicit-constructor): wherever bytes are meant
  Content(std::span<const std::byte> bytes);  // finds the sequences in them
  Content(const std::vector<std::byte>& bytes) : Content(std::span(bytes)) {}
  // NOLINTEND(google-explicit-constructor)
  static Content sequence(const NumberSequence& numbers, std::uint64_t count);
  static Content zeros(std::uint64_t length) { return sequence({}, length); }
  static Content original(std::uint64_t offset, std::uint64_t length, std::uint64_t hash = 0);

  std::uint64_t size() const { return pieces_.empty() ? 0 : pieces_.back().end; }
  bool empty() const { return pieces_.empty(); }
  const std::vector<Piece>& pieces() const { return pieces_; }
  bool has_original() const;
  std::uint64_t held_bytes() const;  // in memory, of literals

  // Joins sequences where one goes on with the other.
  void append(const Content& more);
  // The hash of an original goes with its wholeness.
  Content slice(std::uint64_t begin, std::uint64_t length) const;

  // Fills `out` from `begin`; must not go behind the end.
  std::expected<void, IoError> read(std::uint64_t begin, std::span<std::byte> out,
                                    const Device& original) const;
  std::vector<std::byte> bytes() const;  // all; none may be an original
  bool operator==(const Content&) const = default;

 private:
  std::expected<void, IoError> read(std::uint64_t begin, std::span<std::byte> out,
                                    const Device* original) const;
  void add(Source source, std::uint64_t length);

  std::vector<Piece> pieces_;  // none is empty
};

}  // namespace cowvet
