// Numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checker/format/units.h"

namespace cowvet {

// "512 bytes", "64 KiB", "1.25 GiB": three significant digits, cut.
std::string human_bytes(std::uint64_t bytes);

// "1 error", "2 errors".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

// Counts, versions and bit numbers as decimal: "2"; what may be an offset or an entry as hexadecimal:
// "0x50000".
std::string plain_or_hex(std::uint64_t value);

// Whether `text` names `value`, decimal or hexadecimal, as a word of its own.
bool says(std::string_view text, std::uint64_t value);

// "0x110000-0x11ffff (64 KiB at 1.06 MiB)".
std::string describe(const GuestRange& range);

}  // namespace cowvet
