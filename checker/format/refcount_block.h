// Refcount blocks: one cluster of packed counters of 1 << order bits, order 0 to 6 (specification, "Host
// cluster management"). Below a byte, bit 0 of a byte belongs to the first cluster; above, big-endian.
#pragma once

#include <cassert>
#include <cstdint>
#include <cstring>
#include <span>

#include "checker/format/endian.h"

namespace cowvet {

constexpr std::uint64_t max_refcount(unsigned order) {
  return order == 6 ? ~std::uint64_t{0} : (std::uint64_t{1} << (1u << order)) - 1;
}

// Entries of one block: cluster_size * 8 / refcount_bits.
constexpr std::uint64_t refcounts_per_block(unsigned cluster_bits, unsigned order) {
  return std::uint64_t{1} << (cluster_bits + 3 - order);
}

inline std::uint64_t get_refcount(std::span<const std::byte> block, unsigned order, std::uint64_t index) {
  const std::byte* at = block.data();
  switch (order) {
    case 3:
      return static_cast<std::uint8_t>(at[index]);
    case 4:
      return load_big_endian<std::uint16_t>(at + index * 2);
    case 5:
      return load_big_endian<std::uint32_t>(at + index * 4);
    case 6:
      return load_big_endian<std::uint64_t>(at + index * 8);
    default: {
      const unsigned bits = 1u << order;
      const unsigned per_byte = 8 / bits;
      const auto byte = static_cast<unsigned>(at[index / per_byte]);
      return (byte >> (index % per_byte * bits)) & ((1u << bits) - 1);
    }
  }
}

// `value` must be at most max_refcount(order).
inline void set_refcount(std::span<std::byte> block, unsigned order, std::uint64_t index,
                         std::uint64_t value) {
  assert(value <= max_refcount(order));
  std::byte* at = block.data();
  switch (order) {
    case 3:
      at[index] = static_cast<std::byte>(value);
      break;
    case 4:
      store_big_endian(at + index * 2, static_cast<std::uint16_t>(value));
      break;
    case 5:
      store_big_endian(at + index * 4, static_cast<std::uint32_t>(value));
      break;
    case 6:
      store_big_endian(at + index * 8, value);
      break;
    default: {
      const unsigned bits = 1u << order;
      const unsigned per_byte = 8 / bits;
      const unsigned shift = static_cast<unsigned>(index % per_byte) * bits;
      const unsigned mask = ((1u << bits) - 1) << shift;
      const auto byte = static_cast<unsigned>(at[index / per_byte]);
      at[index / per_byte] = static_cast<std::byte>((byte & ~mask) | static_cast<unsigned>(value) << shift);
    }
  }
}

}  // namespace cowvet
