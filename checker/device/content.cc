#include "checker/device/content.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <tuple>
#include <utility>

#include "checker/format/endian.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kWordBytes = 8;
constexpr std::uint64_t kFewestWords = 4;  // that are worth a sequence

constexpr bool is_unit(std::uint64_t length) {
  return length == 1 || length == 2 || length == 4 || length == 8;
}

constexpr std::uint64_t mask_of(unsigned unit_bytes) {
  return unit_bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << unit_bytes * 8) - 1;
}

std::uint64_t load_number(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | static_cast<std::uint64_t>(byte);
  return value;
}

void store_number(std::span<std::byte> out, std::uint64_t value) {
  for (std::size_t i = out.size(); i-- != 0; value >>= 8) out[i] = static_cast<std::byte>(value);
}

// The smallest unit that says the same: "00" for a word of zeros.
NumberSequence smallest_unit(std::uint64_t word) {
  for (const unsigned unit : {1u, 2u, 4u}) {
    const std::uint64_t value = word & mask_of(unit);
    std::uint64_t repeated = value;
    for (unsigned bytes = unit; bytes < kWordBytes; bytes *= 2) repeated |= repeated << bytes * 8;
    if (repeated == word) return {unit, value, 0};
  }
  return {kWordBytes, word, 0};
}

// How many words from the first one on are larger than the one before by the same.
std::uint64_t words_in_sequence(std::span<const std::byte> bytes) {
  const std::uint64_t words = bytes.size() / kWordBytes;
  const auto word = [&](std::uint64_t i) {
    return load_big_endian<std::uint64_t>(bytes.data() + i * kWordBytes);
  };
  if (words < 2) return words;
  std::uint64_t last = word(1);
  const std::uint64_t stride = last - word(0);
  std::uint64_t count = 2;
  for (; count < words; ++count) {
    const std::uint64_t next = word(count);
    if (next - last != stride) break;
    last = next;
  }
  return count;
}

// Of numbers one behind the other, those bytes that begin `begin` bytes behind the first one.
void fill_one_by_one(const NumberSequence& numbers, std::uint64_t begin, std::span<std::byte> out) {
  const unsigned unit = numbers.unit_bytes;
  std::byte whole[kWordBytes];
  while (!out.empty()) {
    const std::span number(whole, unit);
    store_number(number, numbers.at(begin / unit));
    const auto part = number.subspan(begin % unit, std::min<std::size_t>(unit - begin % unit, out.size()));
    std::ranges::copy(part, out.begin());
    out = out.subspan(part.size());
    begin += part.size();
  }
}

void fill(const NumberSequence& numbers, std::uint64_t begin, std::span<std::byte> out) {
  if (numbers.stride != 0) return fill_one_by_one(numbers, begin, out);
  // A pattern: what is there is doubled.
  std::size_t done = std::min<std::size_t>(out.size(), numbers.unit_bytes);
  fill_one_by_one(numbers, begin, out.first(done));
  while (done < out.size()) {
    const std::size_t more = std::min(done, out.size() - done);
    std::memcpy(out.data() + done, out.data(), more);
    done += more;
  }
}

}  // namespace

std::uint64_t NumberSequence::at(std::uint64_t index) const {
  return (first + stride * index) & mask_of(unit_bytes);
}

bool Content::Piece::operator==(const Piece& other) const {
  if (length != other.length || end != other.end || source.index() != other.source.index()) return false;
  if (const auto* numbers = std::get_if<NumberSequence>(&source))
    return *numbers == std::get<NumberSequence>(other.source);
  if (const auto* original = std::get_if<OriginalBytes>(&source))
    return *original == std::get<OriginalBytes>(other.source);
  const auto& mine = std::get<LiteralBytes>(source);
  const auto& theirs = std::get<LiteralBytes>(other.source);
  return std::equal(mine.bytes->data() + mine.begin, mine.bytes->data() + mine.begin + length,
                    theirs.bytes->data() + theirs.begin);
}

Content::Content(std::span<const std::byte> bytes) {
  const auto add_literal = [this](std::span<const std::byte> part) {
    if (is_unit(part.size()))
      add(NumberSequence{static_cast<unsigned>(part.size()), load_number(part), 0}, part.size());
    else if (!part.empty())
      add(LiteralBytes{std::make_shared<const std::vector<std::byte>>(part.begin(), part.end())},
          part.size());
  };
  std::size_t literal = 0;  // where what belongs to no sequence begins
  std::size_t at = 0;
  while (bytes.size() - at >= kFewestWords * kWordBytes) {
    const std::uint64_t count = words_in_sequence(bytes.subspan(at));
    if (count < kFewestWords) {
      at += (count - 1) * kWordBytes;  // the last one may begin another sequence
      continue;
    }
    const auto first = load_big_endian<std::uint64_t>(bytes.data() + at);
    const std::uint64_t stride = load_big_endian<std::uint64_t>(bytes.data() + at + kWordBytes) - first;
    const NumberSequence numbers =
        stride == 0 ? smallest_unit(first) : NumberSequence{kWordBytes, first, stride};
    std::uint64_t length = count * kWordBytes;
    while (stride == 0 && bytes.size() - at - length >= numbers.unit_bytes &&
           load_number(bytes.subspan(at + length, numbers.unit_bytes)) == numbers.first)
      length += numbers.unit_bytes;
    add_literal(bytes.subspan(literal, at - literal));
    add(numbers, length);
    literal = at += length;
  }
  add_literal(bytes.subspan(literal));
}

Content Content::sequence(const NumberSequence& numbers, std::uint64_t count) {
  assert(is_unit(numbers.unit_bytes));
  Content content;
  content.add(numbers, count * numbers.unit_bytes);
  return content;
}

Content Content::original(std::uint64_t offset, std::uint64_t length, std::uint64_t hash) {
  Content content;
  content.add(OriginalBytes{offset, hash}, length);
  return content;
}

bool Content::has_original() const {
  return std::ranges::any_of(
      pieces_, [](const Piece& piece) { return std::holds_alternative<OriginalBytes>(piece.source); });
}

std::uint64_t Content::held_bytes() const {
  std::uint64_t held = 0;
  for (const Piece& piece : pieces_)
    if (std::holds_alternative<LiteralBytes>(piece.source)) held += piece.length;
  return held;
}

void Content::add(Source source, std::uint64_t length) {
  if (length == 0) return;
  if (auto* numbers = std::get_if<NumberSequence>(&source); numbers && !pieces_.empty()) {
    // One number alone goes on with anything: only a pattern, or a sequence that is one already, takes it.
    Piece& last = pieces_.back();
    const auto* before = std::get_if<NumberSequence>(&last.source);
    const std::uint64_t count = last.length / numbers->unit_bytes;
    const bool is_one = length == numbers->unit_bytes;
    if (before && before->unit_bytes == numbers->unit_bytes &&
        (is_one || before->stride == numbers->stride) && (count > 1 || before->stride == 0) &&
        before->at(count) == numbers->first) {
      last.length += length;
      last.end += length;
      return;
    }
  }
  const std::uint64_t end = size() + length;
  pieces_.push_back({std::move(source), length, end});
}

void Content::append(const Content& more) {
  for (const Piece& piece : more.pieces_) add(piece.source, piece.length);
}

Content Content::slice(std::uint64_t begin, std::uint64_t length) const {
  Content part;
  const std::uint64_t end = begin + length;
  assert(end <= size());
  for (auto piece = std::ranges::upper_bound(pieces_, begin, {}, &Piece::end);
       piece != pieces_.end() && begin < end; ++piece) {
    const std::uint64_t skipped = begin - (piece->end - piece->length);
    const std::uint64_t taken = std::min(end, piece->end) - begin;
    if (taken == piece->length) {
      part.add(piece->source, taken);
    } else if (const auto* literal = std::get_if<LiteralBytes>(&piece->source)) {
      part.add(LiteralBytes{literal->bytes, literal->begin + skipped}, taken);
    } else if (const auto* original = std::get_if<OriginalBytes>(&piece->source)) {
      part.add(OriginalBytes{original->offset + skipped, 0}, taken);
    } else {
      // Whole numbers stay a sequence; what is cut off at both ends are bytes.
      const auto& numbers = std::get<NumberSequence>(piece->source);
      const std::uint64_t unit = numbers.unit_bytes;
      const std::uint64_t head = std::min(taken, (unit - skipped % unit) % unit);
      const std::uint64_t whole = (taken - head) / unit * unit;
      const auto add_cut = [&](std::uint64_t from, std::uint64_t count) {
        std::byte bytes[kWordBytes];
        fill(numbers, from, std::span(bytes, count));
        part.append(Content(std::span<const std::byte>(bytes, count)));
      };
      add_cut(skipped, head);
      part.add(NumberSequence{numbers.unit_bytes, numbers.at((skipped + head) / unit), numbers.stride},
               whole);
      add_cut(skipped + head + whole, taken - head - whole);
    }
    begin += taken;
  }
  return part;
}

std::expected<void, IoError> Content::read(std::uint64_t begin, std::span<std::byte> out,
                                           const Device& original) const {
  return read(begin, out, &original);
}

std::vector<std::byte> Content::bytes() const {
  std::vector<std::byte> all(size());
  std::ignore = read(0, all, nullptr);
  return all;
}

std::expected<void, IoError> Content::read(std::uint64_t begin, std::span<std::byte> out,
                                           const Device* original) const {
  assert(begin + out.size() <= size());
  for (auto piece = std::ranges::upper_bound(pieces_, begin, {}, &Piece::end); !out.empty(); ++piece) {
    const std::uint64_t skipped = begin - (piece->end - piece->length);
    const auto part = out.first(std::min<std::uint64_t>(out.size(), piece->length - skipped));
    if (const auto* literal = std::get_if<LiteralBytes>(&piece->source)) {
      std::ranges::copy(std::span(*literal->bytes).subspan(literal->begin + skipped, part.size()),
                        part.begin());
    } else if (const auto* numbers = std::get_if<NumberSequence>(&piece->source)) {
      fill(*numbers, skipped, part);
    } else {
      const auto& place = std::get<OriginalBytes>(piece->source);
      assert(original != nullptr);
      if (auto read = original->read(place.offset + skipped, part); !read) return read;
    }
    begin += part.size();
    out = out.subspan(part.size());
  }
  return {};
}

}  // namespace cowvet
