#include "checker/planning/content_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ostream>

namespace cowvet {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 62;  // of one piece: no file is longer
constexpr std::string_view kCopy = "copy(";

void write_hex(std::span<const std::byte> bytes, std::ostream& out) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  while (!bytes.empty()) {
    const auto part = bytes.first(std::min<std::size_t>(bytes.size(), 4096));
    text.clear();
    for (const std::byte b : part) {
      text += kDigits[static_cast<unsigned>(b) >> 4];
      text += kDigits[static_cast<unsigned>(b) & 15];
    }
    out << text;
    bytes = bytes.subspan(part.size());
  }
}

void write_piece(const Content::Piece& piece, std::ostream& out) {
  if (const auto* literal = std::get_if<LiteralBytes>(&piece.source))
    return write_hex(std::span(*literal->bytes).subspan(literal->begin, piece.length), out);
  if (const auto* place = std::get_if<OriginalBytes>(&piece.source)) {
    out << fmt::format("copy({},{},{:016x})", place->offset, piece.length, place->hash);
    return;
  }
  const auto& numbers = std::get<NumberSequence>(piece.source);
  const unsigned digits = numbers.unit_bytes * 2;
  const std::uint64_t count = piece.length / numbers.unit_bytes;
  out << fmt::format("{:0{}x}", numbers.first, digits);
  if (numbers.stride != 0 && count > 1) out << fmt::format("+{:0{}x}", numbers.stride, digits);
  if (count > 1) out << '*' << count;
}

std::optional<std::byte> digit_value(char digit) {
  if (digit >= '0' && digit <= '9') return static_cast<std::byte>(digit - '0');
  if (digit >= 'a' && digit <= 'f') return static_cast<std::byte>(digit - 'a' + 10);
  return std::nullopt;
}

using Read = std::expected<Content, std::string>;

Read read_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::unexpected("an odd number of hexadecimal digits");
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = digit_value(text[i]);
    const auto low = digit_value(text[i + 1]);
    if (!high || !low) return std::unexpected("bytes are not hexadecimal");
    bytes.push_back(*high << 4 | *low);
  }
  return Content(bytes);
}

std::optional<std::uint64_t> read_number(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Read read_sequence(std::string_view text) {
  const auto star = text.find('*');
  const auto plus = text.substr(0, star).find('+');
  const std::string_view first = text.substr(0, std::min(plus, star));
  const std::string_view stride =
      plus == std::string_view::npos ? "" : text.substr(plus + 1, star - plus - 1);
  const unsigned unit = static_cast<unsigned>(std::min<std::size_t>(first.size() / 2, 9));
  if (first.size() % 2 != 0 || (unit != 1 && unit != 2 && unit != 4 && unit != 8) ||
      (plus != std::string_view::npos && stride.size() != first.size()))
    return std::unexpected("what is repeated is not a number of 1, 2, 4 or 8 bytes");
  const auto value = read_number(first, 16);
  const auto step = stride.empty() ? 0 : read_number(stride, 16);
  const auto count = read_number(text.substr(star + 1), 10);
  if (!value || !step || !count || *count == 0)
    return std::unexpected("a repetition is not of the form HEX*COUNT");
  if (*count > kMostBytes / unit) return std::unexpected("a write is larger than any file");
  return Content::sequence({unit, *value, *count == 1 ? 0 : *step}, *count);
}

Read read_copy(std::string_view text) {
  const std::string_view inside = text.substr(kCopy.size());
  const auto first = inside.find(',');
  const auto second = first == std::string_view::npos ? first : inside.find(',', first + 1);
  if (second == std::string_view::npos || !inside.ends_with(')'))
    return std::unexpected("a copy is not of the form copy(OFFSET,LENGTH,HASH)");
  const auto offset = read_number(inside.substr(0, first), 10);
  const auto length = read_number(inside.substr(first + 1, second - first - 1), 10);
  const auto hash = read_number(inside.substr(second + 1, inside.size() - second - 2), 16);
  if (!offset || !length || !hash || *length == 0)
    return std::unexpected("a copy is not of the form copy(OFFSET,LENGTH,HASH)");
  if (*offset > kMostBytes || *length > kMostBytes) return std::unexpected("a copy is larger than any file");
  return Content::original(*offset, *length, *hash);
}

}  // namespace

void write_content(const Content& content, std::ostream& out) {
  const char* between = "";
  for (const Content::Piece& piece : content.pieces()) {
    out << between;
    write_piece(piece, out);
    between = " ";
  }
}

std::expected<Content, std::string> read_content(std::string_view text) {
  Content content;
  while (!text.empty()) {
    const auto space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    Read piece = word.starts_with(kCopy)                    ? read_copy(word)
                 : word.find('*') != std::string_view::npos ? read_sequence(word)
                                                            : read_hex(word);
    if (!piece) return piece;
    if (content.size() + piece->size() > kMostBytes)
      return std::unexpected("a write is larger than any file");
    content.append(*piece);
    text = space == std::string_view::npos ? "" : text.substr(space + 1);
  }
  return content;
}

}  // namespace cowvet
