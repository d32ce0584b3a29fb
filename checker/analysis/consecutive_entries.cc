#include "checker/analysis/consecutive_entries.h"

#include <bit>
#include <cstring>

// A vector unit that can reverse bytes compares four entries at once. Resolving which code to take happens
// before the sanitizers are ready, so they get the plain one.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__clang__)
#define COWVET_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define COWVET_VECTOR_CLONES
#endif

namespace cowvet {
namespace {

constexpr std::size_t kBlock = 32;  // entries that are compared without a branch

// Whether kBlock entries are first, first + step ...
COWVET_VECTOR_CLONES bool block_continues(const std::byte* entries, std::uint64_t first, std::uint64_t step) {
  std::uint64_t difference = 0;
  for (std::size_t i = 0; i < kBlock; ++i, first += step) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, entries + i * sizeof raw, sizeof raw);
    difference |= __builtin_bswap64(raw) ^ first;
  }
  return difference == 0;
}
static_assert(std::endian::native == std::endian::little, "entries are big-endian");

}  // namespace

std::uint64_t count_consecutive(std::span<const std::byte> entries, std::uint64_t first, std::uint64_t step) {
  const std::size_t most = entries.size() / 8;
  std::size_t count = 0;
  while (count + kBlock <= most && block_continues(entries.data() + count * 8, first + count * step, step))
    count += kBlock;
  for (; count < most; ++count) {
    std::uint64_t raw = 0;
    std::memcpy(&raw, entries.data() + count * 8, sizeof raw);
    if (__builtin_bswap64(raw) != first + count * step) break;
  }
  return count;
}

}  // namespace cowvet
