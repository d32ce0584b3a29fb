// Bytes as text in a plan: pieces, with a space between two.
//
//   piece := HEX                          the bytes themselves
//          | NUMBER ["+" STRIDE] "*" COUNT
//          | "copy(" OFFSET "," LENGTH "," HASH ")"
//
// NUMBER and STRIDE are 1, 2, 4 or 8 bytes in hexadecimal, both as many: COUNT numbers, big-endian, each
// STRIDE larger than the one before ("0001*32768"; "8000000000050000+0000000000010000*512"). A copy is what
// lies at OFFSET of the same file before the plan; HASH is its XXH3, in hexadecimal.
#pragma once

#include <expected>
#include <iosfwd>
#include <string>
#include <string_view>

#include "checker/device/content.h"

namespace cowvet {

void write_content(const Content& content, std::ostream& out);

// Memory follows the length of the text, whatever it asks for. The error says what is wrong with it.
std::expected<Content, std::string> read_content(std::string_view text);

}  // namespace cowvet
