#include "checker/analysis/references.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace cowvet {
namespace {

std::uint64_t read_counter(const std::byte* counters, unsigned width, std::uint64_t index) {
  std::uint64_t value = 0;
  std::memcpy(&value, counters + index * width, width);  // little-endian hosts: the low bytes come first
  return value;
}

void write_counter(std::byte* counters, unsigned width, std::uint64_t index, std::uint64_t value) {
  std::memcpy(counters + index * width, &value, width);
}
static_assert(std::endian::native == std::endian::little, "counters are widened by copying low bytes");

// What a chunk costs beside its planes: itself and its share of the tree above it.
constexpr std::uint64_t kChunkOverhead = 256;

unsigned width_for(std::uint64_t value) {
  if (value <= 0xff) return 1;
  if (value <= 0xffff) return 2;
  return value <= 0xffffffff ? 4 : 8;
}

}  // namespace

References::Chunk::~Chunk() {
  for (auto& plane : planes_) delete plane.load(std::memory_order_relaxed);
  delete contested_.load(std::memory_order_relaxed);
}

std::uint64_t References::Chunk::extra(std::uint64_t cluster_in_chunk) const {
  return extra_width_ == 0 ? 0 : read_counter(extra_.get(), extra_width_, cluster_in_chunk);
}

std::uint64_t References::Chunk::references(std::uint64_t cluster_in_chunk) const {
  std::uint64_t sum = extra(cluster_in_chunk);
  for (const auto& plane : planes_)
    sum += (load(plane, cluster_in_chunk / 64) & bit_of(cluster_in_chunk)) != 0;
  return sum;
}

bool References::Chunk::all_once(std::uint64_t first_word, std::uint64_t words) const {
  if (has_extra() || has_contested() || planes_[static_cast<unsigned>(Claim::clear)].load() != nullptr)
    return false;
  std::array<std::uint64_t, kChunkWords> referenced{};
  for (const auto& plane : planes_)
    if (const Plane* there = plane.load(std::memory_order_acquire))
      for (std::uint64_t i = 0; i < words; ++i)
        referenced[i] |= (*there)[first_word + i].load(std::memory_order_relaxed);
  return std::all_of(referenced.begin(), referenced.begin() + words,
                     [](std::uint64_t word) { return word == ~std::uint64_t{0}; });
}

References::References(std::uint64_t clusters, std::uint64_t cap_bytes)
    : clusters_(clusters),
      cap_bytes_(cap_bytes),
      window_end_(chunk_of(clusters) + 1),
      chunks_(chunk_of(clusters) + 1) {}

References::~References() = default;

References::Plane& References::plane(std::atomic<Plane*>& slot) {
  Plane* there = slot.load(std::memory_order_acquire);
  if (there) return *there;
  auto made = std::make_unique<Plane>();
  if (!slot.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return *there;
  used_bytes_.fetch_add(sizeof(Plane), std::memory_order_relaxed);
  return *made.release();
}

void References::add_extra(Chunk& chunk, std::uint64_t cluster_in_chunk, std::uint64_t by) {
  const std::scoped_lock lock(chunk.extra_mutex_);
  const std::uint64_t sum = chunk.extra(cluster_in_chunk) + by;
  if (const unsigned width = width_for(sum); width > chunk.extra_width_) {
    auto wider = std::make_unique<std::byte[]>(kChunkClusters * width);
    for (std::uint64_t i = 0; chunk.extra_width_ != 0 && i < kChunkClusters; ++i)
      write_counter(wider.get(), width, i, chunk.extra(i));
    used_bytes_.fetch_add(kChunkClusters * (width - chunk.extra_width_), std::memory_order_relaxed);
    chunk.extra_ = std::move(wider);
    chunk.extra_width_ = width;
  }
  write_counter(chunk.extra_.get(), chunk.extra_width_, cluster_in_chunk, sum);
}

// Sets the bits, counts what was there already, and looks for claims of other kinds. Every thread sets its
// own bit before it looks at the other planes, so that of two threads at least one sees the conflict.
inline void References::claim_in_word(Chunk& chunk, std::uint64_t word, std::uint64_t mask, Claim kind,
                                      std::uint64_t weight) {
  const auto own = static_cast<unsigned>(kind);
  Plane* const there = chunk.planes_[own].load(std::memory_order_acquire);
  const std::uint64_t again = (there ? *there : plane(chunk.planes_[own]))[word].fetch_or(mask) & mask;
  std::uint64_t conflict = kind == Claim::compressed ? 0 : again;
  for (unsigned other = 0; other < kClaimKinds; ++other) {
    if (other == own) continue;
    if (const Plane* others = chunk.planes_[other].load()) conflict |= (*others)[word].load() & mask;
  }
  if ((conflict | again) == 0 && weight == 1) return;
  if (conflict != 0) plane(chunk.contested_)[word].fetch_or(conflict, std::memory_order_relaxed);
  for (std::uint64_t left = weight > 1 ? mask : again; left != 0; left &= left - 1) {
    const auto bit = static_cast<unsigned>(std::countr_zero(left));
    const std::uint64_t by = weight - ((again >> bit & 1) == 0);
    if (by != 0) add_extra(chunk, word * 64 + bit, by);
  }
}

References::Chunk& References::chunk_at(std::uint64_t cluster) {
  if (Chunk* there = chunks_.find(chunk_of(cluster))) return *there;
  return chunks_.find_or_make(chunk_of(cluster), [this] {
    used_bytes_.fetch_add(kChunkOverhead, std::memory_order_relaxed);
    return new Chunk;
  });
}

void References::claim(std::uint64_t first, std::uint64_t count, Claim kind, std::uint64_t weight) {
  if (first >= clusters_) return;
  if (count == 1) {  // by far the most frequent one where clusters are scattered
    if (in_window(first)) claim_in_word(chunk_at(first), word_of(first), bit_of(first), kind, weight);
    return;
  }
  std::uint64_t at = first;
  const std::uint64_t end = first + std::min(count, clusters_ - first);
  while (at < end) {
    const std::uint64_t chunk_end = std::min(end, (chunk_of(at) + 1) * kChunkClusters);
    if (!in_window(at)) {
      at = chunk_end;
      continue;
    }
    Chunk& chunk = chunk_at(at);
    while (at < chunk_end) {
      const unsigned shift = at % 64;
      const std::uint64_t bits = std::min<std::uint64_t>(64 - shift, chunk_end - at);
      const std::uint64_t mask = (bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1) << shift;
      claim_in_word(chunk, word_of(at), mask, kind, weight);
      at += bits;
    }
  }
}

std::uint64_t References::references(std::uint64_t cluster) const {
  const Chunk* chunk = cluster < clusters_ ? find_chunk(chunk_of(cluster)) : nullptr;
  return chunk ? chunk->references(cluster & (kChunkClusters - 1)) : 0;
}

bool References::contested(std::uint64_t cluster) const {
  const Chunk* chunk = cluster < clusters_ ? find_chunk(chunk_of(cluster)) : nullptr;
  return chunk && chunk->contested(word_of(cluster)) & bit_of(cluster);
}

std::uint64_t References::bytes_of(const Chunk& chunk) {
  std::uint64_t bytes = kChunkOverhead + chunk.extra_width_ * kChunkClusters;
  for (const auto& plane : chunk.planes_) bytes += plane.load() ? sizeof(Plane) : 0;
  return bytes + (chunk.contested_.load() ? sizeof(Plane) : 0);
}

void References::shrink_window() {
  // A quarter below the cap, so that the next claims do not bring it up again at once.
  const std::uint64_t goal = cap_bytes_ / 4 * 3;
  std::uint64_t kept = 0;
  std::uint64_t end = window_begin_;
  bool full = false;
  chunks_.for_each(window_begin_, window_end_, [&](std::uint64_t index, const Chunk& chunk) {
    kept += bytes_of(chunk);
    full = full || (kept > goal && end != window_begin_);  // one chunk always stays
    if (!full) end = index + 1;
  });
  if (!full) return;
  chunks_.erase_from(end);
  window_end_ = end;
  std::uint64_t used = 0;
  chunks_.for_each(window_begin_, window_end_,
                   [&used](std::uint64_t, const Chunk& chunk) { used += bytes_of(chunk); });
  used_bytes_.store(used, std::memory_order_relaxed);
}

bool References::next_window() {
  if (window_end_ == chunks_.size()) return false;
  chunks_.erase_from(0);
  used_bytes_.store(0, std::memory_order_relaxed);
  window_begin_ = window_end_;
  window_end_ = chunks_.size();
  return true;
}

}  // namespace cowvet
