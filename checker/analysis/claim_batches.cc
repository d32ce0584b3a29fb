#include "checker/analysis/claim_batches.h"

#include <algorithm>
#include <bit>

namespace cowvet {

ClaimBatches::ClaimBatches(References& references)
    : references_(references),
      region_bits_(
          std::max(kChunkBits + kBatchBits, static_cast<unsigned>(std::bit_width(references.clusters()))) -
          kBatchBits) {}

void ClaimBatches::flush() {
  if (!runs_) return;
  for (std::size_t at = 0; at < kBatches; ++at) flush(at);
}

void ClaimBatches::flush(std::size_t at) {
  constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
  Batch& batch = batches_[at];
  for (; batch.room < kMost; ++batch.room) {
    const std::uint64_t run = runs_[at * kMost + batch.room];
    references_.claim(run >> kCountBits, run & kCountMask, batch.kind, batch.weight);
  }
}

void ClaimBatches::begin(std::size_t at, Claim kind, std::uint64_t weight) {
  if (!runs_) {
    runs_ = std::make_unique_for_overwrite<std::uint64_t[]>(kBatches * kMost);
    for (Batch& batch : batches_) batch.room = kMost;
  }
  flush(at);
  batches_[at].kind = kind;
  batches_[at].weight = weight;
}

}  // namespace cowvet
