// Bytes written by hand, and generators of what the structures hold.
#pragma once

#include <rapidcheck.h>

#include <cctype>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cowvet {

// "51 46 49 fb" -> four bytes; white space is free.
inline std::vector<std::byte> from_hex(std::string_view hex) {
  std::string digits;
  for (const char c : hex)
    if (std::isspace(static_cast<unsigned char>(c)) == 0) digits += c;
  std::vector<std::byte> bytes;
  for (std::size_t at = 0; at + 1 < digits.size(); at += 2)
    bytes.push_back(static_cast<std::byte>(std::stoul(digits.substr(at, 2), nullptr, 16)));
  return bytes;
}

inline std::string to_hex(std::span<const std::byte> bytes) {
  std::string hex;
  for (const std::byte byte : bytes) {
    hex += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    hex += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 15];
  }
  return hex;
}

// Any number, the largest and smallest too: rapidcheck alone stays small while its size parameter is.
template <typename T>
T any_number() {
  return *rc::gen::weightedOneOf<T>({{4, rc::gen::arbitrary<T>()},
                                     {3, rc::gen::noShrink(rc::gen::resize(100, rc::gen::arbitrary<T>()))},
                                     {1, rc::gen::element<T>(0, 1, static_cast<T>(-1))}});
}

// Any bytes, `most` of them at most.
inline std::vector<std::byte> any_bytes(std::size_t most) {
  const auto size = *rc::gen::inRange<std::size_t>(0, most + 1);
  const auto numbers =
      *rc::gen::container<std::vector<unsigned char>>(size, rc::gen::arbitrary<unsigned char>());
  std::vector<std::byte> bytes;
  for (const unsigned char number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}

inline std::string any_text(std::size_t most) {
  std::string text;
  for (const std::byte byte : any_bytes(most)) text += static_cast<char>(byte);
  return text;
}

// Text as it lies in a fixed field: without NUL.
inline std::string any_field_text(std::size_t most) {
  std::string text = any_text(most);
  std::erase(text, '\0');
  return text;
}

}  // namespace cowvet
