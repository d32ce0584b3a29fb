// A set of host clusters: bits in chunks that are made on first use. Threads may add at the same time.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "checker/analysis/sparse_array.h"

namespace cowvet {

inline constexpr unsigned kChunkBits = 15;
inline constexpr std::uint64_t kChunkClusters = std::uint64_t{1} << kChunkBits;
inline constexpr std::uint64_t kChunkWords = kChunkClusters / 64;

constexpr std::uint64_t chunk_of(std::uint64_t cluster) {
  return cluster >> kChunkBits;
}
constexpr std::uint64_t word_of(std::uint64_t cluster) {
  return (cluster & (kChunkClusters - 1)) / 64;
}
constexpr std::uint64_t bit_of(std::uint64_t cluster) {
  return std::uint64_t{1} << (cluster % 64);
}

class ClusterSet {
 public:
  // Of clusters below `clusters`.
  explicit ClusterSet(std::uint64_t clusters) : chunks_(chunk_of(clusters) + 1) {}

  void add(std::uint64_t cluster) { word(cluster).fetch_or(bit_of(cluster), std::memory_order_relaxed); }

  void add(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t cluster = first; cluster != first + count; ++cluster) add(cluster);
  }

  bool contains(std::uint64_t cluster) const {
    const Bits* bits = chunks_.find(chunk_of(cluster));
    return bits && (*bits)[word_of(cluster)].load(std::memory_order_relaxed) & bit_of(cluster);
  }

  bool empty() const {
    bool none = true;
    chunks_.for_each(0, chunks_.size(), [&none](std::uint64_t, const Bits&) { none = false; });
    return none;
  }

  // Calls visit(first, count) for the maximal runs of members, in order.
  template <typename Visit>
  void for_each_run(Visit visit) const {
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    chunks_.for_each(0, chunks_.size(), [&](std::uint64_t chunk, const Bits& bits) {
      for (std::uint64_t w = 0; w < kChunkWords; ++w) {
        std::uint64_t left = bits[w].load(std::memory_order_relaxed);
        while (left != 0) {
          const auto begin = static_cast<unsigned>(std::countr_zero(left));
          const auto length = static_cast<unsigned>(std::countr_one(left >> begin));
          const std::uint64_t at = chunk * kChunkClusters + w * 64 + begin;
          if (count != 0 && at == first + count) {
            count += length;
          } else {
            if (count != 0) visit(first, count);
            first = at;
            count = length;
          }
          if (begin + length == 64) break;
          left &= ~std::uint64_t{0} << (begin + length);
        }
      }
    });
    if (count != 0) visit(first, count);
  }

 private:
  using Bits = std::array<std::atomic<std::uint64_t>, kChunkWords>;

  std::atomic<std::uint64_t>& word(std::uint64_t cluster) {
    return chunks_.find_or_make(chunk_of(cluster), [] { return new Bits{}; })[word_of(cluster)];
  }

  SparseArray<Bits> chunks_;
};

}  // namespace cowvet
