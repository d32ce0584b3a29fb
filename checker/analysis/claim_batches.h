// Claims of scattered clusters, put off until there are many for one region of the file. A claim in place of
// each entry would fetch a cache line that another thread has just changed; a batch fetches those of its
// region once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "checker/analysis/references.h"

namespace cowvet {

// One for each thread. What was put off counts only after flush().
class ClaimBatches {
 public:
  explicit ClaimBatches(References& references);

  // Whether runs of `count` clusters are worth putting off: long ones are not, nor are those of a set so
  // small that it stays in the cache.
  bool worthwhile(std::uint64_t count) const { return count <= kLongest && region_bits_ > kChunkBits; }

  // As References::claim, for runs that are worth it.
  void add(std::uint64_t first, std::uint64_t count, Claim kind, std::uint64_t weight) {
    const std::size_t at = first >> region_bits_ & (kBatches - 1);
    Batch& batch = batches_[at];
    if (batch.room == 0 || batch.kind != kind || batch.weight != weight) begin(at, kind, weight);
    runs_[at * kMost + --batch.room] = first << kCountBits | count;
  }

  void flush();

 private:
  static constexpr unsigned kBatchBits = 6;
  static constexpr std::size_t kBatches = std::size_t{1} << kBatchBits;
  static constexpr std::size_t kMost = 256;  // runs in a batch
  static constexpr std::uint64_t kLongest = 64;
  static constexpr unsigned kCountBits = 8;

  struct Batch {
    std::uint64_t weight = 1;
    Claim kind = Claim::copied;
    std::uint32_t room = 0;  // for so many more runs
  };

  void flush(std::size_t at);
  void begin(std::size_t at, Claim kind, std::uint64_t weight);

  References& references_;
  unsigned region_bits_;  // clusters; there are about as many regions as batches
  std::array<Batch, kBatches> batches_{};
  // kMost for each batch, the last one first: first cluster, then kCountBits bits of count. Made when needed.
  std::unique_ptr<std::uint64_t[]> runs_;
};

}  // namespace cowvet
