#include "checker/planning/lost_counts.h"

#include <algorithm>
#include <set>
#include <vector>

#include "checker/analysis/bytes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/format/endian.h"
#include "checker/format/refcount_block.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

// Pointers that lead nowhere: a cluster that nothing refers to may be the one that they named.
constexpr RuleId kLost[] = {
    rule("l1/unaligned"),
    rule("l1/outside"),
    rule("l1/not-l2"),
    rule("l2/unaligned"),
    rule("l2/outside"),
    rule("l2/offset-zero"),
    rule("l2/reserved-bits"),
    rule("l2/compressed-outside"),
    rule("l2/subcluster-without-cluster"),
};

// Two that share a cluster: the one that does not belong there once named another, and nothing else does now.
// Or a header that was lost, with all that it named and nobody knows.
constexpr RuleId kStrayed[] = {rule("l1/shared"), rule("l2/cross-linked"), rule("l2/overlaps-metadata"),
                               rule("header/magic")};

constexpr unsigned kLeastOrder = 3;       // narrower refcounts look like any data
constexpr std::uint64_t kMostExtra = 64;  // of a refcount above what is referenced

// Recognises the refcount table and blocks that the image had: unlike lost data they are made anew.
class OldRefcounts {
 public:
  explicit OldRefcounts(Round& round)
      : image_(round.editor.image()),
        geometry_(round.context.geometry),
        references_(*round.before.references),
        per_block_(refcounts_per_block(geometry_.cluster_bits, geometry_.refcount_order)) {}

  bool is_table_or_block(std::span<const std::byte> bytes) { return is_block(bytes) || is_table(bytes); }

 private:
  static constexpr std::uint64_t kMostRanges = 256;

  // It counts most of what is in use among the clusters of some range, nothing behind the end of the file,
  // and nothing much more often than it is referenced.
  bool is_block(std::span<const std::byte> bytes) const {
    if (geometry_.refcount_order < kLeastOrder) return false;
    const std::uint64_t ranges = std::min(kMostRanges, divide_up(geometry_.file_clusters, per_block_));
    for (std::uint64_t i = 0; i < ranges; ++i)
      if (counts_range(bytes, i * per_block_)) return true;
    return false;
  }
  bool counts_range(std::span<const std::byte> bytes, std::uint64_t first) const {
    std::uint64_t used = 0;
    std::uint64_t missed = 0;
    for (std::uint64_t i = 0; i < per_block_; ++i) {
      const std::uint64_t stored = get_refcount(bytes, geometry_.refcount_order, i);
      const std::uint64_t referenced = references_.references(first + i);
      if (stored > referenced + kMostExtra || (stored != 0 && first + i >= geometry_.file_clusters))
        return false;
      used += referenced != 0;
      missed += referenced != 0 && stored == 0;
    }
    return used != 0 && missed * 2 <= used;
  }
  // Each entry names a block; some of them are looked at.
  bool is_table(std::span<const std::byte> bytes) const {
    constexpr std::size_t kMostBlocks = 4;
    std::size_t blocks = 0;
    std::set<std::uint64_t> named;
    std::vector<std::byte> block(geometry_.cluster_bytes);
    for (std::size_t i = 0; i < bytes.size(); i += 8) {
      const auto offset = load_big_endian<std::uint64_t>(bytes.data() + i);
      if (offset == 0) continue;
      if (offset % geometry_.cluster_bytes != 0 || offset >= geometry_.file_bytes) return false;
      if (!named.insert(offset).second) return false;
      if (blocks++ < kMostBlocks && (!image_.read(offset, block) || !is_block(block))) return false;
    }
    return blocks != 0;
  }

  const Device& image_;
  const Geometry& geometry_;
  const References& references_;
  const std::uint64_t per_block_;
};

bool may_free_leaks(const Round& round) {
  return round.options.allow_lossy || round.chosen(rule("refcount/leak"), "keep") == "free";
}

}  // namespace

bool may_hold_lost_data(const std::set<RuleId>& found) {
  const auto is_found = [&](RuleId id) { return found.contains(id); };
  return std::ranges::any_of(kLost, is_found) || std::ranges::any_of(kStrayed, is_found);
}

bool has_lost_pointers(const Round& round) {
  return std::ranges::any_of(kLost, [&](RuleId lost) { return round.context.findings.added(lost) != 0; });
}

bool has_strayed_pointers(const Round& round) {
  return std::ranges::any_of(kStrayed, [&](RuleId strayed) { return round.found_so_far.contains(strayed); });
}

bool may_hold_what_a_repair_looks_for(const std::set<RuleId>& found) {
  return std::ranges::any_of(found, [](RuleId id) {
    const std::string_view name = id->id;
    const bool is_about_pointers = name.starts_with("header/") || name.starts_with("l1/") ||
                                   name.starts_with("l2/") || name.starts_with("overlap/") ||
                                   id == rule("refcount/orphan-mapping");
    return id->severity == Severity::corruption && is_about_pointers && id != rule("l1/copied") &&
           id != rule("l2/copied");
  });
}

ClusterSet find_lost_content(Round& round, std::uint64_t first, std::uint64_t count) {
  ClusterSet lost;
  const bool keeps_orphans = round.chosen(rule("refcount/orphan-mapping"), "keep") != "free";
  if (keeps_orphans && !round.context.orphans.empty())
    for (std::uint64_t cluster = first; cluster < first + count; ++cluster)
      if (round.context.orphans.contains(cluster)) lost.add(cluster);
  // Entries of a table that is lost itself may be wrong, too.
  const bool is_in_doubt = may_hold_lost_data(round.found_so_far) || round.context.has_empty_l2_table ||
                           (keeps_orphans && !round.lost_l2_tables().empty());
  if (may_free_leaks(round) || !is_in_doubt) return lost;
  const Geometry& geometry = round.context.geometry;
  const Device& image = round.editor.image();
  OldRefcounts old(round);
  std::vector<std::byte> bytes(geometry.cluster_bytes);
  const std::uint64_t end = std::min(first + count, geometry.file_clusters);
  for (std::uint64_t cluster = first; cluster < end; ++cluster) {
    cluster =
        std::max(cluster, image.next_data(cluster << geometry.cluster_bits).begin >> geometry.cluster_bits);
    if (cluster >= end) break;
    if (round.context.references->references(cluster) != 0 || round.released.contains(cluster)) continue;
    // What cannot be read may hold anything.
    const bool is_read = image.read(cluster << geometry.cluster_bits, bytes).has_value();
    if (is_read && (leading_zeros(bytes) == bytes.size() || old.is_table_or_block(bytes))) continue;
    lost.add(cluster);
    round.held.add(cluster);
  }
  return lost;
}

bool is_noise(Round& round, const RefcountBlock& block) {
  const auto [known, is_new] = round.noise_blocks.try_emplace(block.index, false);
  const Geometry& geometry = round.context.geometry;
  std::vector<std::byte> bytes(geometry.cluster_bytes);
  if (!is_new || geometry.refcount_order < kLeastOrder || !round.editor.image().read(block.offset, bytes))
    return known->second;
  const std::uint64_t per_block = round.context.refcounts->clusters_per_block;
  std::uint64_t counted = 0;
  std::uint64_t absurd = 0;
  for (std::uint64_t i = 0; i < per_block; ++i) {
    const std::uint64_t cluster = block.index * per_block + i;
    const std::uint64_t stored = get_refcount(bytes, geometry.refcount_order, i);
    counted += stored != 0;
    absurd += stored != 0 &&
              (cluster >= geometry.file_clusters ||
               (stored > kMostExtra && stored > round.context.references->references(cluster) + kMostExtra));
  }
  return known->second = absurd * 2 > counted;
}

}  // namespace cowvet
