// How often each host cluster of the image file is referenced, and by what kind of reference.
//
// For every cluster there is one bit for each kind of claim, in chunks of 4096 clusters whose planes are
// made only when a claim of that kind falls into them; references beyond the first of a kind are counted in
// an array that exists only in chunks that need one and is only as wide as it must be. A sound image without
// snapshots costs one bit a cluster.
//
//   references = (copied?) + (clear?) + (other?) + (compressed?) + extra
//
// A cluster is *contested* where two claims exclude each other: any two but compressed with compressed. Sound
// images have no contested clusters: a cluster shared by snapshots is claimed once, with a weight.
//
// Where memory is capped, the set covers a window of clusters only: claims behind the window are dropped, and
// the caller goes over the metadata again for the next one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "checker/analysis/sparse_array.h"

namespace cowvet {

// Small enough that a reference alone in the middle of a huge file is cheap, large enough that the tree above
// is.
inline constexpr unsigned kChunkBits = 12;
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

enum class Claim : std::uint8_t {
  copied,      // by an entry of the active disk with COPIED set
  clear,       // by an entry of the active disk with COPIED clear
  other,       // by metadata, or by snapshots only
  compressed,  // by compressed clusters
};
inline constexpr unsigned kClaimKinds = 4;

class References {
  using Plane = std::array<std::atomic<std::uint64_t>, kChunkWords>;

 public:
  // Of clusters below `clusters`. `cap_bytes` 0: no cap.
  References(std::uint64_t clusters, std::uint64_t cap_bytes);
  ~References();

  std::uint64_t clusters() const { return clusters_; }

  // Adds `weight` references to each of `count` clusters. Clusters outside the window or the set are ignored.
  void claim(std::uint64_t first, std::uint64_t count, Claim kind, std::uint64_t weight = 1);

  // One chunk, for reading when no thread claims any more.
  class Chunk {
   public:
    std::uint64_t bits(Claim kind, std::uint64_t word) const {
      return load(planes_[static_cast<unsigned>(kind)], word);
    }
    std::uint64_t contested(std::uint64_t word) const { return load(contested_, word); }
    bool has_contested() const { return contested_.load(std::memory_order_acquire) != nullptr; }
    bool has_extra() const { return extra_width_ != 0; }
    std::uint64_t references(std::uint64_t cluster_in_chunk) const;
    // Whether each cluster of `words` words is referenced exactly once, and not by an entry with COPIED
    // clear.
    bool all_once(std::uint64_t first_word, std::uint64_t words) const;

   private:
    friend class References;
    static std::uint64_t load(const std::atomic<Plane*>& plane, std::uint64_t word) {
      const Plane* there = plane.load(std::memory_order_acquire);
      return there ? (*there)[word].load(std::memory_order_relaxed) : 0;
    }
    std::uint64_t extra(std::uint64_t cluster_in_chunk) const;

   public:
    Chunk() = default;
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;
    ~Chunk();

   private:
    std::array<std::atomic<Plane*>, kClaimKinds> planes_{};
    std::atomic<Plane*> contested_{};
    std::mutex extra_mutex_;
    unsigned extra_width_ = 0;  // bytes a counter: 0 (none), 1, 2, 4 or 8
    std::unique_ptr<std::byte[]> extra_;
  };

  // nullptr: nothing in the chunk is referenced.
  const Chunk* find_chunk(std::uint64_t chunk) const { return chunks_.find(chunk); }
  template <typename Visit>
  void for_each_chunk(Visit visit) const {
    chunks_.for_each(0, chunks_.size(), visit);
  }

  std::uint64_t references(std::uint64_t cluster) const;
  bool contested(std::uint64_t cluster) const;

  // The window, in chunks: [window_begin, window_end).
  std::uint64_t window_begin() const { return window_begin_; }
  std::uint64_t window_end() const { return window_end_; }
  bool covers_all() const { return window_begin_ == 0 && window_end_ == chunks_.size(); }
  bool in_window(std::uint64_t cluster) const {
    return chunk_of(cluster) >= window_begin_ && chunk_of(cluster) < window_end_;
  }
  bool over_cap() const {
    return cap_bytes_ != 0 && used_bytes_.load(std::memory_order_relaxed) > cap_bytes_;
  }
  // Gives up chunks from the window's end until the cap holds. No other thread may be using the set.
  void shrink_window();
  // Forgets everything and moves the window behind where it was. False: that was the last one, which stays.
  bool next_window();

 private:
  Chunk& chunk_at(std::uint64_t cluster);
  Plane& plane(std::atomic<Plane*>& slot);
  void add_extra(Chunk& chunk, std::uint64_t cluster_in_chunk, std::uint64_t by);
  void claim_in_word(Chunk& chunk, std::uint64_t word, std::uint64_t mask, Claim kind, std::uint64_t weight);
  static std::uint64_t bytes_of(const Chunk& chunk);

  std::uint64_t clusters_;
  std::uint64_t cap_bytes_;
  std::uint64_t window_begin_ = 0;
  std::uint64_t window_end_;
  std::atomic<std::uint64_t> used_bytes_{0};
  SparseArray<Chunk> chunks_;
};

}  // namespace cowvet
