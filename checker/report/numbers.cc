#include "checker/report/numbers.h"

#include <fmt/format.h>

#include <bit>
#include <cctype>

namespace cowvet {

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::string_view kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes == 1) return "1 byte";
  const unsigned unit = bytes == 0 ? 0 : static_cast<unsigned>(std::bit_width(bytes) - 1) / 10;
  const std::uint64_t whole = bytes >> 10 * unit;
  const std::uint64_t rest = bytes - (whole << 10 * unit);
  if (rest == 0) return fmt::format("{} {}", whole, kUnits[unit]);
  // Cut, not rounded: 1023.9 KiB must not become 1024 KiB.
  const std::uint64_t hundredths = (rest >> 10 * (unit - 1)) * 100 / 1024;
  if (whole >= 100) return fmt::format("{} {}", whole, kUnits[unit]);
  if (whole >= 10) return fmt::format("{}.{} {}", whole, hundredths / 10, kUnits[unit]);
  return fmt::format("{}.{:02} {}", whole, hundredths, kUnits[unit]);
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string plain_or_hex(std::uint64_t value) {
  constexpr std::uint64_t kSmall = 4096;
  return value < kSmall ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

bool says(std::string_view text, std::uint64_t value) {
  const auto in_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  for (const std::string& number : {fmt::format("{}", value), fmt::format("{:#x}", value)})
    for (std::size_t at = 0; (at = text.find(number, at)) != std::string_view::npos; ++at) {
      const std::size_t end = at + number.size();
      if ((at == 0 || !in_word(text[at - 1])) && (end == text.size() || !in_word(text[end]))) return true;
    }
  return false;
}

std::string describe(const GuestRange& range) {
  const std::uint64_t last = range.offset + (range.length == 0 ? 0 : range.length - 1);
  return fmt::format("{:#x}-{:#x} ({} at {})", range.offset, last, human_bytes(range.length),
                     human_bytes(range.offset));
}

}  // namespace cowvet
