// Each refcount block is read once and compared with the sets: where no cluster of a chunk, or every one, is
// referenced exactly once, its part of the block must repeat a constant. Where it does not, the same is tried
// with words of 64 clusters, and only then are single clusters looked at.
#include "checker/analysis/compare_refcounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "checker/analysis/bytes.h"
#include "checker/analysis/parallel.h"
#include "checker/format/refcount_block.h"

namespace cowvet {
namespace {

constexpr RuleId kMismatchRules[kMismatches] = {rule("refcount/too-low"), rule("refcount/too-high"),
                                                rule("refcount/overflow"), rule("refcount/table-too-short")};

// What is given up where a refcount block cannot be read.
constexpr std::uint64_t kLeastBytes = 4096;

// A share of the work: the clusters that one refcount block counts, or those in some chunks that none counts.
struct Stretch {
  const RefcountBlock* block = nullptr;
  std::span<const std::uint64_t> chunks;  // indices; without a block only
  std::array<std::vector<MismatchRun>, kMismatches> runs{};
};

class Comparer {
 public:
  Comparer(Context& context, const References& references, const RefcountTable& refcounts,
           const AreaIndex& areas)
      : context_(context),
        references_(references),
        refcounts_(refcounts),
        areas_(areas),
        order_(context.geometry.refcount_order) {
    for (std::uint64_t i = 0; i < 64; ++i) set_refcount(ones_, order_, i, 1);
  }

  void compare(Stretch& stretch);
  const Offenders& found() const { return found_; }

 private:
  void compare_range(Stretch& stretch, std::uint64_t first, std::uint64_t count);
  void compare_piece(Stretch& stretch, std::uint64_t first, std::uint64_t count);
  bool read_block(std::uint64_t offset, std::span<std::byte> out);
  void compare_chunk(Stretch& stretch, std::uint64_t first, std::uint64_t count,
                     std::span<const std::byte> stored);
  bool all_ones(std::span<const std::byte> stored) const;
  void compare_halves(Stretch& stretch, std::uint64_t first, std::uint64_t count);
  void compare_word(Stretch& stretch, const References::Chunk* chunk, std::uint64_t first,
                    std::uint64_t count, std::span<const std::byte> stored);
  void compare_uncounted(Stretch& stretch, const References::Chunk& chunk, std::uint64_t first);
  bool add_wrong(ClusterSet& set, std::uint64_t cluster);
  Mismatch too_low_at(std::uint64_t cluster) const;
  void compare_cluster(Stretch& stretch, const References::Chunk* chunk, std::uint64_t cluster,
                       std::uint64_t stored);
  bool equals(std::span<const std::byte> stored, std::uint64_t count, std::uint64_t referenced) const;
  void add_run(Stretch& stretch, Mismatch kind, std::uint64_t first, std::uint64_t count,
               std::uint64_t stored, std::uint64_t references);

  Context& context_;
  const References& references_;
  const RefcountTable& refcounts_;
  const AreaIndex& areas_;
  const unsigned order_;
  std::array<std::byte, 512> ones_{};   // 64 refcounts of 1
  std::array<std::byte, 512> zeros_{};  // 64 refcounts of 0
  std::vector<std::byte> buffer_;
  Offenders found_;
};

void Comparer::compare(Stretch& stretch) {
  const std::uint64_t per_block = refcounts_.clusters_per_block;
  if (stretch.block) return compare_range(stretch, stretch.block->index * per_block, per_block);
  for (const std::uint64_t chunk : stretch.chunks) {
    const std::uint64_t end = (chunk + 1) * kChunkClusters;
    for (std::uint64_t at = chunk * kChunkClusters; at < end;) {
      const std::uint64_t count = std::min(end, (at / per_block + 1) * per_block) - at;
      if (!refcounts_.block_of(at)) compare_range(stretch, at, count);
      at += count;
    }
  }
}

void Comparer::compare_range(Stretch& stretch, std::uint64_t first, std::uint64_t count) {
  // Whole words of 64 clusters, and about 64 KiB of the block at a time.
  const std::uint64_t most = std::max<std::uint64_t>(64, (std::uint64_t{64} << 10) * 8 >> order_);
  for (std::uint64_t at = 0; at < count; at += most)
    compare_piece(stretch, first + at, std::min(count - at, most));
}

void Comparer::compare_piece(Stretch& stretch, std::uint64_t first, std::uint64_t count) {
  if (chunk_of(first + count - 1) < references_.window_begin() || chunk_of(first) >= references_.window_end())
    return;
  const std::uint64_t bytes_per_word = std::uint64_t{8} << order_;
  buffer_.resize(divide_up(count, 64) * bytes_per_word);
  if (stretch.block) {
    const std::uint64_t index = first - stretch.block->index * refcounts_.clusters_per_block;
    const std::uint64_t at = stretch.block->offset + (index << order_) / 8;
    const std::span bytes(buffer_.data(), divide_up(count << order_, 8));
    if (!read_block(at, bytes)) return compare_halves(stretch, first, count);
  } else {
    std::ranges::fill(buffer_, std::byte{0});
  }
  for (std::uint64_t at = 0; at < count;) {
    const std::uint64_t end = std::min(count, (chunk_of(first + at) + 1) * kChunkClusters - first);
    if (references_.in_window(first + at))
      compare_chunk(
          stretch, first + at, end - at,
          std::span(buffer_).subspan(at / 64 * bytes_per_word, divide_up(end - at, 64) * bytes_per_word));
    at = end;
  }
}

// Clusters of one chunk.
void Comparer::compare_chunk(Stretch& stretch, std::uint64_t first, std::uint64_t count,
                             std::span<const std::byte> stored) {
  const References::Chunk* chunk = references_.find_chunk(chunk_of(first));
  if (!chunk && leading_zeros(stored) == stored.size()) return;
  const std::uint64_t words = divide_up(count, 64);
  if (chunk && first + count <= context_.geometry.file_clusters && chunk->all_once(word_of(first), words) &&
      all_ones(stored)) {
    found_.used_end = std::max(found_.used_end, first + count);
    return;
  }
  const std::uint64_t bytes_per_word = std::uint64_t{8} << order_;
  for (std::uint64_t word = 0; word < words; ++word)
    compare_word(stretch, chunk, first + word * 64, std::min<std::uint64_t>(64, count - word * 64),
                 stored.subspan(word * bytes_per_word, bytes_per_word));
}

// Whether all refcounts are 1: the first word of them is, and every other one is like the one before.
bool Comparer::all_ones(std::span<const std::byte> stored) const {
  const std::size_t word = std::size_t{8} << order_;
  return std::memcmp(stored.data(), ones_.data(), word) == 0 &&
         std::memcmp(stored.data(), stored.data() + word, stored.size() - word) == 0;
}

// Small pieces are reported where they cannot be read.
bool Comparer::read_block(std::uint64_t offset, std::span<std::byte> out) {
  return out.size() > kLeastBytes
             ? context_.image.read(offset, out).has_value()
             : context_.read(context_.image, offset, out, Place{.structure = Structure::refcount_block});
}

void Comparer::compare_halves(Stretch& stretch, std::uint64_t first, std::uint64_t count) {
  if (count << order_ > kLeastBytes * 8) {
    const std::uint64_t half = divide_up(count / 2, 64) * 64;
    compare_piece(stretch, first, half);
    compare_piece(stretch, first + half, count - half);
  } else {
    found_.complete = false;
  }
}

// Whether each of `count` stored refcounts is 1 where its bit of `referenced` is set, else 0.
bool Comparer::equals(std::span<const std::byte> stored, std::uint64_t count,
                      std::uint64_t referenced) const {
  const std::uint64_t all = count == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << count) - 1;
  if (count == 64 && referenced == 0) return std::memcmp(stored.data(), zeros_.data(), stored.size()) == 0;
  if (count == 64 && referenced == all) return std::memcmp(stored.data(), ones_.data(), stored.size()) == 0;
  for (std::uint64_t i = 0; i < count; ++i)
    if (get_refcount(stored, order_, i) != (referenced >> i & 1)) return false;
  return true;
}

void Comparer::compare_word(Stretch& stretch, const References::Chunk* chunk, std::uint64_t first,
                            std::uint64_t count, std::span<const std::byte> stored) {
  const std::uint64_t word = word_of(first);
  std::uint64_t referenced = 0;
  bool simple = true;  // every cluster is referenced at most once
  if (chunk) {
    for (unsigned kind = 0; kind < kClaimKinds; ++kind)
      referenced |= chunk->bits(static_cast<Claim>(kind), word);
    simple = !chunk->has_extra() && chunk->contested(word) == 0 && chunk->bits(Claim::clear, word) == 0;
  }
  const bool in_file =
      referenced == 0 || first + std::bit_width(referenced) <= context_.geometry.file_clusters;
  if (simple && in_file && first % 64 == 0 && equals(stored, count, referenced)) {
    if (referenced != 0) found_.used_end = std::max(found_.used_end, first + std::bit_width(referenced));
    return;
  }
  // Where refcounts are lost, they are lost for whole words: every cluster is referenced, none is counted.
  if (simple && in_file && first % 64 == 0 && referenced == ~std::uint64_t{0} && equals(stored, count, 0))
    return compare_uncounted(stretch, *chunk, first);
  for (std::uint64_t i = 0; i < count; ++i)
    compare_cluster(stretch, chunk, first + i, get_refcount(stored, order_, i));
}

// 64 clusters that are referenced once each, and whose refcounts are 0.
void Comparer::compare_uncounted(Stretch& stretch, const References::Chunk& chunk, std::uint64_t first) {
  found_.used_end = std::max(found_.used_end, first + 64);
  add_run(stretch, too_low_at(first), first, 64, 0, 1);
  const std::uint64_t copied = chunk.bits(Claim::copied, word_of(first));
  for (std::uint64_t left = copied; left != 0; left &= left - 1)
    if (!add_wrong(found_.copied_wrongly, first + static_cast<unsigned>(std::countr_zero(left)))) break;
}

// Who does not name the entries needs to know only that there are any. False: no more are needed.
bool Comparer::add_wrong(ClusterSet& set, std::uint64_t cluster) {
  if (context_.options.name_copied || set.empty()) set.add(cluster);
  return context_.options.name_copied;
}

// Without an entry in the refcount table, no block can ever count the cluster.
Mismatch Comparer::too_low_at(std::uint64_t cluster) const {
  return cluster / refcounts_.clusters_per_block < refcounts_.entries ? Mismatch::too_low
                                                                      : Mismatch::table_too_short;
}

void Comparer::compare_cluster(Stretch& stretch, const References::Chunk* chunk, std::uint64_t cluster,
                               std::uint64_t stored) {
  const std::uint64_t references = chunk ? chunk->references(cluster % kChunkClusters) : 0;
  if (stored == 0 && references == 0) return;
  if (references == 0) found_.leaked.add(cluster);
  if (cluster >= context_.geometry.file_clusters) {
    // What lies past the end has its own findings, but a cluster that is counted as well shows that the file
    // was longer. The LUKS header may legally be there, not yet written.
    if (references != 0 && stored != 0 && !areas_.find(cluster)) {
      ++found_.cut_clusters;
      found_.cut_end = std::max(found_.cut_end, cluster + 1);
    }
    return;
  }
  found_.used_end = std::max(found_.used_end, cluster + 1);
  if (references > max_refcount(order_)) {
    add_run(stretch, Mismatch::overflow, cluster, 1, stored, references);
  } else if (stored < references) {
    add_run(stretch, too_low_at(cluster), cluster, 1, stored, references);
  } else if (stored > references && references != 0) {
    add_run(stretch, Mismatch::too_high, cluster, 1, stored, references);
  }
  if (!chunk) return;
  const std::uint64_t word = word_of(cluster);
  const std::uint64_t bit = bit_of(cluster);
  if (stored != 1 && chunk->bits(Claim::copied, word) & bit) add_wrong(found_.copied_wrongly, cluster);
  if (stored == 1 && chunk->bits(Claim::clear, word) & bit) add_wrong(found_.clear_wrongly, cluster);
}

void Comparer::add_run(Stretch& stretch, Mismatch kind, std::uint64_t first, std::uint64_t count,
                       std::uint64_t stored, std::uint64_t references) {
  std::vector<MismatchRun>& runs = stretch.runs[static_cast<unsigned>(kind)];
  if (!runs.empty() && runs.back().first + runs.back().count == first && runs.back().stored == stored &&
      runs.back().references == references) {
    runs.back().count += count;
  } else {
    runs.push_back({first, count, stored, references});
  }
}

// Everything that must be compared. `chunks` receives what the stretches without a block point into.
std::vector<Stretch> list_stretches(const References& references, const RefcountTable& refcounts,
                                    std::vector<std::uint64_t>& chunks) {
  constexpr std::size_t kChunksTogether = 256;
  std::vector<Stretch> stretches;
  for (const RefcountBlock& block : refcounts.blocks)
    if (block.believed) stretches.push_back({.block = &block});
  if (!refcounts.complete) return stretches;
  references.for_each_chunk([&](std::uint64_t chunk, const References::Chunk&) {
    const std::uint64_t first = chunk * kChunkClusters;
    const std::uint64_t last = first + kChunkClusters - 1;
    const bool one_block = first / refcounts.clusters_per_block == last / refcounts.clusters_per_block;
    if (!one_block || !refcounts.block_of(first)) chunks.push_back(chunk);
  });
  for (std::size_t at = 0; at < chunks.size(); at += kChunksTogether)
    stretches.push_back(
        {.chunks = std::span(chunks).subspan(at, std::min(kChunksTogether, chunks.size() - at))});
  return stretches;
}

// Joins runs that meet where one stretch or window ends and the next begins.
void collect_runs(std::vector<Stretch>& stretches, Offenders& offenders) {
  for (unsigned kind = 0; kind < kMismatches; ++kind) {
    std::vector<MismatchRun>& runs = offenders.runs[kind];
    for (Stretch& stretch : stretches) {
      runs.insert(runs.end(), stretch.runs[kind].begin(), stretch.runs[kind].end());
      stretch.runs[kind] = {};
    }
    if (runs.empty()) continue;
    std::ranges::sort(runs, {}, &MismatchRun::first);
    std::size_t kept = 0;
    for (std::size_t i = 1; i < runs.size(); ++i) {
      MismatchRun& open = runs[kept];
      if (open.first + open.count == runs[i].first && open.stored == runs[i].stored &&
          open.references == runs[i].references) {
        open.count += runs[i].count;
      } else {
        runs[++kept] = runs[i];
      }
    }
    runs.resize(kept + 1);
  }
}

}  // namespace

void Offenders::merge(const Offenders& other) {
  copied_wrongly.merge(other.copied_wrongly);
  clear_wrongly.merge(other.clear_wrongly);
  contested.merge(other.contested);
  leaked.merge(other.leaked);
  used_end = std::max(used_end, other.used_end);
  cut_clusters += other.cut_clusters;
  cut_end = std::max(cut_end, other.cut_end);
  complete = complete && other.complete;
}

void compare_refcounts(Context& context, const References& references, const RefcountTable& refcounts,
                       const AreaIndex& areas, Offenders& offenders) {
  if (!context.refcount_table_usable) return;
  std::vector<std::uint64_t> chunks;
  std::vector<Stretch> stretches = list_stretches(references, refcounts, chunks);
  const unsigned threads = thread_count(context.options.threads, stretches.size() / 4);
  context.progress.begin("compare_refcounts", stretches.size());
  std::vector<std::unique_ptr<Comparer>> comparers;
  comparers.reserve(threads);
  for (unsigned i = 0; i < threads; ++i)
    comparers.push_back(std::make_unique<Comparer>(context, references, refcounts, areas));
  parallel_for(threads, stretches.size(), [&](std::uint64_t i, unsigned worker) {
    comparers[worker]->compare(stretches[i]);
    context.progress.advance(1);
  });
  for (const auto& comparer : comparers) offenders.merge(comparer->found());
  collect_runs(stretches, offenders);
  offenders.complete = offenders.complete && refcounts.complete;
}

void collect_contested(const Context& context, const References& references, Offenders& offenders) {
  references.for_each_chunk([&](std::uint64_t index, const References::Chunk& chunk) {
    if (!chunk.has_contested()) return;
    for (std::uint64_t word = 0; word < kChunkWords; ++word)
      for (std::uint64_t left = chunk.contested(word); left != 0; left &= left - 1) {
        const std::uint64_t cluster =
            index * kChunkClusters + word * 64 + static_cast<unsigned>(std::countr_zero(left));
        if (cluster < context.geometry.file_clusters) offenders.contested.add(cluster);
      }
  });
}

void report_mismatches(Context& context, const Offenders& offenders) {
  const unsigned bits = context.geometry.cluster_bits;
  for (unsigned kind = 0; kind < kMismatches; ++kind) {
    const RuleId id = kMismatchRules[kind];
    // What could not be read may hold the references that are missing.
    const bool unknown = id == rule("refcount/too-high") && context.references_unread();
    for (const MismatchRun& run : offenders.runs[kind]) {
      const auto make = [&] {
        return Finding{.rule = id,
                       .severity = unknown ? Severity::unchecked : id->severity,
                       .place = {.offset = run.first << bits, .length = run.count << bits},
                       .count = run.count,
                       .expected = run.references,
                       .found = run.stored,
                       .detail = fmt::format("refcount {}, references {}{}{}", run.stored, run.references,
                                             unknown ? " in what could be read" : "",
                                             run.count == 1 ? "" : fmt::format(", {} clusters", run.count))};
      };
      if (unknown) {
        context.findings.add(make());
      } else {
        context.findings.add(id, File::image, Structure::none, run.first << bits, run.count, make);
      }
    }
  }
}

}  // namespace cowvet
