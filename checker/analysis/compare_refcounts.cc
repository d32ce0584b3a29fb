// Each refcount block is read once and compared with the sets, 64 clusters at a time: where no cluster of a
// word, or every one, is referenced exactly once, the word of the block must equal a constant. Only where it
// does not are single clusters looked at.
#include "checker/analysis/compare_refcounts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <mutex>
#include <vector>

#include "checker/analysis/parallel.h"
#include "checker/format/refcount_block.h"

namespace cowvet {
namespace {

constexpr RuleId kMismatchRules[kMismatches] = {rule("refcount/too-low"), rule("refcount/too-high"),
                                                rule("refcount/overflow"), rule("refcount/table-too-short")};

// Clusters [first, first + count), which one refcount block counts, or none.
struct Stretch {
  std::uint64_t first = 0;
  std::uint64_t count = 0;
  const RefcountBlock* block = nullptr;
  std::array<std::vector<MismatchRun>, kMismatches> runs{};
};

class Comparer {
 public:
  Comparer(Context& context, const References& references, const RefcountTable& refcounts,
           const AreaIndex& areas, Offenders& offenders)
      : context_(context),
        references_(references),
        refcounts_(refcounts),
        areas_(areas),
        offenders_(offenders),
        order_(context.geometry.refcount_order) {
    for (std::uint64_t i = 0; i < 64; ++i) set_refcount(ones_, order_, i, 1);
  }

  void compare(Stretch& stretch);
  std::uint64_t used_end() const { return used_end_; }

 private:
  void compare_piece(Stretch& stretch, std::uint64_t first, std::uint64_t count);
  void compare_word(Stretch& stretch, const References::Chunk* chunk, std::uint64_t first,
                    std::uint64_t count, std::span<const std::byte> stored);
  void compare_cluster(Stretch& stretch, const References::Chunk* chunk, std::uint64_t cluster,
                       std::uint64_t stored);
  bool equals(std::span<const std::byte> stored, std::uint64_t count, std::uint64_t referenced) const;
  void add_run(Stretch& stretch, Mismatch kind, std::uint64_t cluster, std::uint64_t stored,
               std::uint64_t references);

  Context& context_;
  const References& references_;
  const RefcountTable& refcounts_;
  const AreaIndex& areas_;
  Offenders& offenders_;
  const unsigned order_;
  std::array<std::byte, 512> ones_{};   // 64 refcounts of 1
  std::array<std::byte, 512> zeros_{};  // 64 refcounts of 0
  std::vector<std::byte> buffer_;
  std::uint64_t used_end_ = 0;
  static inline std::mutex cut_mutex_;
};

void Comparer::compare(Stretch& stretch) {
  for (std::uint64_t at = 0; at < stretch.count;) {
    const std::uint64_t first = stretch.first + at;
    const std::uint64_t count = std::min(stretch.count - at, kChunkClusters - first % kChunkClusters);
    if (references_.in_window(first)) compare_piece(stretch, first, count);
    at += count;
  }
}

void Comparer::compare_piece(Stretch& stretch, std::uint64_t first, std::uint64_t count) {
  const References::Chunk* chunk = references_.find_chunk(chunk_of(first));
  if (!chunk && !stretch.block) return;
  const std::uint64_t bytes_per_word = std::uint64_t{8} << order_;
  buffer_.resize(divide_up(count, 64) * bytes_per_word);
  if (stretch.block) {
    const std::uint64_t index = first - stretch.block->index * refcounts_.clusters_per_block;
    const std::uint64_t at = stretch.block->offset + (index << order_) / 8;
    const std::span bytes(buffer_.data(), divide_up(count << order_, 8));
    if (!context_.read(context_.image, at, bytes, Place{.structure = Structure::refcount_block})) return;
  } else {
    std::ranges::fill(buffer_, std::byte{0});
  }
  for (std::uint64_t at = 0; at < count; at += 64)
    compare_word(stretch, chunk, first + at, std::min<std::uint64_t>(64, count - at),
                 std::span(buffer_).subspan(at / 64 * bytes_per_word, bytes_per_word));
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
  const bool in_file = first + count <= context_.geometry.file_clusters;
  if (simple && in_file && first % 64 == 0 && equals(stored, count, referenced)) {
    if (referenced != 0) used_end_ = std::max(used_end_, first + std::bit_width(referenced));
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i)
    compare_cluster(stretch, chunk, first + i, get_refcount(stored, order_, i));
}

void Comparer::compare_cluster(Stretch& stretch, const References::Chunk* chunk, std::uint64_t cluster,
                               std::uint64_t stored) {
  const std::uint64_t references = chunk ? chunk->references(cluster % kChunkClusters) : 0;
  if (stored == 0 && references == 0) return;
  if (references == 0) offenders_.leaked.add(cluster);
  if (cluster >= context_.geometry.file_clusters) {
    // What lies past the end has its own findings, but a cluster that is counted as well shows that the file
    // was longer. The LUKS header may legally be there, not yet written.
    if (references != 0 && stored != 0 && !areas_.find(cluster)) {
      const std::scoped_lock lock(cut_mutex_);
      ++offenders_.cut_clusters;
      offenders_.cut_end = std::max(offenders_.cut_end, cluster + 1);
    }
    return;
  }
  used_end_ = std::max(used_end_, cluster + 1);
  if (references > max_refcount(order_)) {
    add_run(stretch, Mismatch::overflow, cluster, stored, references);
  } else if (stored < references) {
    const bool has_entry = cluster / refcounts_.clusters_per_block < refcounts_.entries;
    add_run(stretch, has_entry ? Mismatch::too_low : Mismatch::table_too_short, cluster, stored, references);
  } else if (stored > references && references != 0) {
    add_run(stretch, Mismatch::too_high, cluster, stored, references);
  }
  if (!chunk) return;
  const std::uint64_t word = word_of(cluster);
  const std::uint64_t bit = bit_of(cluster);
  if (stored != 1 && chunk->bits(Claim::copied, word) & bit) offenders_.copied_wrongly.add(cluster);
  if (stored == 1 && chunk->bits(Claim::clear, word) & bit) offenders_.clear_wrongly.add(cluster);
  if (chunk->contested(word) & bit) offenders_.contested.add(cluster);
}

void Comparer::add_run(Stretch& stretch, Mismatch kind, std::uint64_t cluster, std::uint64_t stored,
                       std::uint64_t references) {
  std::vector<MismatchRun>& runs = stretch.runs[static_cast<unsigned>(kind)];
  if (!runs.empty() && runs.back().first + runs.back().count == cluster && runs.back().stored == stored &&
      runs.back().references == references) {
    ++runs.back().count;
  } else {
    runs.push_back({cluster, 1, stored, references});
  }
}

// Everything that must be compared, in order: what a block counts, and what is referenced without a block.
std::vector<Stretch> list_stretches(const References& references, const RefcountTable& refcounts) {
  std::vector<Stretch> stretches;
  const std::uint64_t per_block = refcounts.clusters_per_block;
  for (const RefcountBlock& block : refcounts.blocks)
    if (block.believed) stretches.push_back({block.index * per_block, per_block, &block});
  if (!refcounts.complete) return stretches;
  references.for_each_chunk([&](std::uint64_t chunk, const References::Chunk&) {
    const std::uint64_t end = (chunk + 1) * kChunkClusters;
    for (std::uint64_t at = chunk * kChunkClusters; at < end;) {
      const std::uint64_t count = std::min(end, (at / per_block + 1) * per_block) - at;
      if (!refcounts.block_of(at)) stretches.push_back({at, count, nullptr});
      at += count;
    }
  });
  std::ranges::sort(stretches, {}, &Stretch::first);
  return stretches;
}

// Joins runs that meet where one stretch or window ends and the next begins.
void collect_runs(const std::vector<Stretch>& stretches, Offenders& offenders) {
  for (unsigned kind = 0; kind < kMismatches; ++kind) {
    std::vector<MismatchRun>& runs = offenders.runs[kind];
    for (const Stretch& stretch : stretches) {
      for (const MismatchRun& run : stretch.runs[kind]) {
        if (!runs.empty() && runs.back().first + runs.back().count == run.first &&
            runs.back().stored == run.stored && runs.back().references == run.references) {
          runs.back().count += run.count;
        } else {
          runs.push_back(run);
        }
      }
    }
  }
}

}  // namespace

void compare_refcounts(Context& context, const References& references, const RefcountTable& refcounts,
                       const AreaIndex& areas, Offenders& offenders) {
  if (!context.refcount_table_usable) return;
  std::vector<Stretch> stretches = list_stretches(references, refcounts);
  const unsigned threads = thread_count(context.options.threads, stretches.size() / 4);
  context.progress.begin("compare_refcounts", stretches.size());
  std::vector<std::unique_ptr<Comparer>> comparers;
  for (unsigned i = 0; i < threads; ++i)
    comparers.push_back(std::make_unique<Comparer>(context, references, refcounts, areas, offenders));
  parallel_for(threads, stretches.size(), [&](std::uint64_t i, unsigned worker) {
    comparers[worker]->compare(stretches[i]);
    context.progress.advance(1);
  });
  for (const auto& comparer : comparers)
    offenders.used_end = std::max(offenders.used_end, comparer->used_end());
  collect_runs(stretches, offenders);
}

void report_mismatches(Context& context, const Offenders& offenders) {
  const unsigned bits = context.geometry.cluster_bits;
  for (unsigned kind = 0; kind < kMismatches; ++kind) {
    const RuleId id = kMismatchRules[kind];
    for (const MismatchRun& run : offenders.runs[kind]) {
      context.findings.add(id, File::image, Structure::none, run.first << bits, run.count, [&] {
        return Finding{.rule = id,
                       .place = {.offset = run.first << bits, .length = run.count << bits},
                       .count = run.count,
                       .expected = run.references,
                       .found = run.stored,
                       .detail = fmt::format("refcount {}, references {}{}", run.stored, run.references,
                                             run.count == 1 ? "" : fmt::format(", {} clusters", run.count))};
      });
    }
  }
}

}  // namespace cowvet
