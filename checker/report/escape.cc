#include "checker/report/escape.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace cowvet {
namespace {

struct Decoded {
  std::uint32_t code_point = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// The code point at the start of `text`. Overlong forms, surrogates and anything above U+10FFFF are not
// UTF-8.
Decoded decode_utf8(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  std::uint32_t code_point = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0) != 0x80) return {};
    code_point = code_point << 6 | (next & 0x3fu);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kLeast[bytes] || surrogate || code_point > 0x10ffff) return {};
  return {code_point, bytes};
}

bool is_unsafe(std::uint32_t code_point) {
  return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0) ||  // C0, DEL, C1
         code_point == 0x061c || code_point == 0xfeff ||    // Arabic letter mark, byte order mark
         (code_point >= 0x200b && code_point <= 0x200f) ||  // zero width, direction marks
         (code_point >= 0x2028 && code_point <= 0x202e) ||  // separators, embeddings, overrides
         (code_point >= 0x2060 && code_point <= 0x206f) ||  // invisible operators, isolates
         (code_point >= 0xe0000 && code_point <= 0xe007f);  // tags
}

void append_escaped(std::string& out, std::uint32_t code_point) {
  if (code_point == '\n') {
    out += "\\n";
  } else if (code_point == '\t') {
    out += "\\t";
  } else if (code_point < 0x80) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", code_point);
  } else {
    fmt::format_to(std::back_inserter(out), "\\u{{{:04x}}}", code_point);
  }
}

std::string escape(std::string_view text, std::string_view also) {
  std::string out;
  while (!text.empty()) {
    const auto [code_point, bytes] = decode_utf8(text);
    if (bytes == 0) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else if (is_unsafe(code_point)) {
      append_escaped(out, code_point);
    } else {
      if (also.contains(text[0])) out += '\\';
      out += text.substr(0, bytes);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return out;
}

}  // namespace

std::string escape_for_terminal(std::string_view text) {
  return escape(text, "");
}

std::string quote(std::string_view text) {
  return '"' + escape(text, "\"\\") + '"';
}

}  // namespace cowvet
