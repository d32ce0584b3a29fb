#include "corpus/arguments.h"

#include <bit>

namespace cowvet::corpus {

std::optional<std::string> Arguments::next_if_any() {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (taken_[i] || !words_[i].key.empty()) continue;
    taken_[i] = true;
    return words_[i].value;
  }
  return std::nullopt;
}

std::string Arguments::next(std::string_view what) {
  if (auto word = next_if_any()) return *word;
  fail(verb_, std::string(what) + " is missing");
  return {};
}

GuestRange Arguments::next_range() {
  const std::string word = next("a guest range OFFSET+LENGTH");
  if (error_.any()) return {};
  const auto range = to_range({.source = word}, word);
  return range.value_or(GuestRange{});
}

bool Arguments::flag(std::string_view name) {
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (taken_[i] || !words_[i].key.empty() || words_[i].quoted || words_[i].value != name) continue;
    taken_[i] = true;
    return true;
  }
  return false;
}

const Word* Arguments::find(std::string_view key) {
  const Word* found = nullptr;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i].key != key) continue;
    if (found) fail(words_[i].source, "given twice");
    if (words_[i].op != Operator::assign) fail(words_[i].source, "only = is possible here");
    taken_[i] = true;
    found = &words_[i];
  }
  return found;
}

std::optional<std::string> Arguments::text(std::string_view key) {
  const Word* word = find(key);
  if (!word) return std::nullopt;
  return word->value;
}

std::optional<std::uint64_t> Arguments::number(std::string_view key) {
  const Word* word = find(key);
  if (!word) return std::nullopt;
  const auto value = parse_number(word->value);
  if (!value) fail(word->source, "a number is expected, such as 4096, 64K or 0x1f");
  return value;
}

std::optional<GuestRange> Arguments::to_range(const Word& word, std::string_view text) {
  const auto plus = text.find('+');
  if (plus != std::string_view::npos) {
    const auto offset = parse_number(text.substr(0, plus));
    const auto length = parse_number(text.substr(plus + 1));
    if (offset && length && *length != 0 && *offset + *length > *offset) return GuestRange{*offset, *length};
  }
  fail(word.source, "a range is expected: OFFSET+LENGTH, such as 3M+64K");
  return std::nullopt;
}

std::optional<GuestRange> Arguments::range(std::string_view key) {
  const Word* word = find(key);
  if (!word) return std::nullopt;
  return to_range(*word, word->value);
}

std::vector<GuestRange> Arguments::ranges(std::string_view key) {
  std::vector<GuestRange> all;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (words_[i].key != key) continue;
    taken_[i] = true;
    if (const auto range = to_range(words_[i], words_[i].value)) all.push_back(*range);
  }
  return all;
}

Expression Arguments::to_expression(const std::string& source) {
  if (auto expression = parse_expression(source)) return *std::move(expression);
  fail(source, "a number or a place is expected; places are " + place_spellings());
  return {};
}

std::optional<Expression> Arguments::expression(std::string_view key) {
  const Word* word = find(key);
  if (!word) return std::nullopt;
  return to_expression(word->value);
}

Pattern Arguments::pattern(std::string_view key, Pattern if_absent) {
  const Word* word = find(key);
  if (!word) return if_absent;
  if (word->value == "offsets") return {Pattern::Kind::offsets};
  if (word->value == "random") return {Pattern::Kind::random};
  if (word->value == "zeros") return {Pattern::Kind::byte, 0};
  if (word->value == "ones") return {Pattern::Kind::byte, 0xff};
  if (const auto byte = parse_number(word->value); byte && *byte <= 0xff)
    return {Pattern::Kind::byte, static_cast<std::uint8_t>(*byte)};
  fail(word->source, "content is offsets, random, zeros, ones or a byte such as 0x41");
  return if_absent;
}

std::optional<unsigned> Arguments::power_of_two(std::string_view key, unsigned least, unsigned most) {
  const Word* word = find(key);
  if (!word) return std::nullopt;
  const auto value = parse_number(word->value);
  if (value && std::has_single_bit(*value)) {
    const auto bits = static_cast<unsigned>(std::countr_zero(*value));
    if (bits >= least && bits <= most) return bits;
  }
  fail(word->source, "a power of two from " + std::to_string(std::uint64_t{1} << least) + " to " +
                         std::to_string(std::uint64_t{1} << most) + " is expected");
  return std::nullopt;
}

std::string Arguments::bytes() {
  const Word* text = find("text");
  const Word* hex = find("hex");
  if ((text != nullptr) == (hex != nullptr)) {
    fail(verb_, "either text= or hex= says the bytes");
    return {};
  }
  if (text) return text->value;
  const auto parsed = parse_hex(hex->value);
  if (!parsed) {
    fail(hex->source, "pairs of hexadecimal digits are expected");
    return {};
  }
  return {reinterpret_cast<const char*>(parsed->data()), parsed->size()};
}

std::vector<Word> Arguments::rest_with_keys() {
  std::vector<Word> rest;
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (taken_[i] || words_[i].key.empty()) continue;
    taken_[i] = true;
    rest.push_back(words_[i]);
  }
  return rest;
}

void Arguments::finish() {
  for (std::size_t i = 0; i < words_.size(); ++i)
    if (!taken_[i]) fail(words_[i].source, "'" + verb_ + "' knows no such word");
}

}  // namespace cowvet::corpus
