// Big-endian integers as they lie on disk.
//
// All numbers in qcow2 are big-endian (specification, first section), and nothing in an image may be
// assumed to be aligned in memory. These types are byte arrays: their alignment is 1, they may be laid over
// any buffer, and a struct made of them has no padding, so that `sizeof` can be asserted against the
// specification. Compilers turn the conversions into one load and one byte swap.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cowvet {

static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big);

template <std::unsigned_integral T>
constexpr T from_big_endian(T value) {
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
}

template <std::unsigned_integral T>
class BigEndian {
 public:
  BigEndian() = default;
  BigEndian(T value) { *this = value; }  // NOLINT(google-explicit-constructor): it is the number

  BigEndian& operator=(T value) {
    value = from_big_endian(value);
    std::memcpy(bytes_, &value, sizeof(T));
    return *this;
  }

  operator T() const {  // NOLINT(google-explicit-constructor)
    T value;
    std::memcpy(&value, bytes_, sizeof(T));
    return from_big_endian(value);
  }

 private:
  unsigned char bytes_[sizeof(T)] = {};
};

using Be16 = BigEndian<std::uint16_t>;
using Be32 = BigEndian<std::uint32_t>;
using Be64 = BigEndian<std::uint64_t>;

static_assert(sizeof(Be16) == 2 && sizeof(Be32) == 4 && sizeof(Be64) == 8 && alignof(Be64) == 1);

// The number at `at`, which need not be aligned.
template <std::unsigned_integral T>
inline T load_big_endian(const void* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return from_big_endian(value);
}

template <std::unsigned_integral T>
inline void store_big_endian(void* at, T value) {
  value = from_big_endian(value);
  std::memcpy(at, &value, sizeof(T));
}

}  // namespace cowvet
