// The corrupt bit (incompatible feature bit 1) as the mark that a repair is under way: QEMU refuses to write
// to a version 3 image that carries it. Version 2 has no such bit, and so no such mark.
#pragma once

#include <cstddef>
#include <span>

#include "checker/format/endian.h"
#include "checker/format/header.h"

namespace cowvet {

// The byte of incompatible_features that holds the bit, and the bit in it.
inline constexpr std::size_t kMarkOffset = offsetof(RawHeader, incompatible_features) + 7;
inline constexpr std::byte kMark{kIncompatibleCorrupt};

// Whether an image that begins with `bytes` has a place for the mark.
inline bool can_be_marked(std::span<const std::byte> bytes) {
  return bytes.size() >= kHeaderV3Bytes && load_big_endian<std::uint32_t>(bytes.data()) == kMagic &&
         load_big_endian<std::uint32_t>(bytes.data() + offsetof(RawHeader, version)) == 3;
}

inline bool is_marked(std::span<const std::byte> bytes) {
  return can_be_marked(bytes) && (bytes[kMarkOffset] & kMark) != std::byte{0};
}

}  // namespace cowvet
