// The lowest level of the recipe language: a line is words between blanks, a word is TEXT, KEY=TEXT,
// KEY+=TEXT, KEY-=TEXT or KEY|=TEXT, and `#` at the start of a word begins a comment. TEXT may be quoted:
// "with blanks", with \" \\ \n \xNN inside; "x"*1024 repeats it.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/recipe_error.h"

namespace cowvet::corpus {

enum class Operator : std::uint8_t { none, assign, add, subtract, set_bits };

struct Word {
  std::string source;  // as written, for messages
  std::string key;     // empty: a word of its own
  Operator op = Operator::none;
  std::string value;
  bool quoted = false;
};

std::expected<std::vector<Word>, RecipeError> split_line(std::string_view line, const Where& where);

// 123, 0x7b, 64K, 3M, 2G, 1T, 1P (powers of 1024; hexadecimal numbers take no suffix).
std::optional<std::uint64_t> parse_number(std::string_view text);

// Pairs of hexadecimal digits.
std::optional<std::vector<std::byte>> parse_hex(std::string_view text);

}  // namespace cowvet::corpus
