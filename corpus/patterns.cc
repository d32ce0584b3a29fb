#include "corpus/patterns.h"

#include <algorithm>

#include "checker/format/endian.h"

namespace cowvet::corpus {
namespace {

// SplitMix64: every input has its own well mixed output.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
  value = (value ^ value >> 27) * 0x94d049bb133111eb;
  return value ^ value >> 31;
}

std::uint64_t eight_bytes(Pattern::Kind kind, std::uint64_t offset) {
  return kind == Pattern::Kind::random ? mix(offset) : offset & ~std::uint64_t{511};
}

}  // namespace

void fill_pattern(const Pattern& pattern, std::uint64_t offset, std::span<std::byte> out) {
  if (pattern.kind == Pattern::Kind::byte) {
    std::ranges::fill(out, std::byte{pattern.byte});
    return;
  }
  for (std::size_t i = 0; i < out.size();) {
    const std::uint64_t in_eight = (offset + i) % 8;
    const BigEndian<std::uint64_t> value = eight_bytes(pattern.kind, offset + i - in_eight);
    const std::size_t length = std::min<std::size_t>(8 - in_eight, out.size() - i);
    std::memcpy(out.data() + i, reinterpret_cast<const std::byte*>(&value) + in_eight, length);
    i += length;
  }
}

}  // namespace cowvet::corpus
