// Refcounts and COPIED bits are redundant: what they should be follows from the references, which the checker
// has counted. Each remedy takes one step towards that; the next round finds what is still missing (a new
// refcount block, for example, is itself a cluster that nothing counts yet).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "checker/analysis/bytes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/device/read_fully.h"
#include "checker/format/entries.h"
#include "checker/format/refcount_block.h"
#include "checker/planning/lost_counts.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

std::string kept_of(const ClusterSet& lost) {
  return fmt::format("{} cluster{} that nothing refers to, but that may hold lost data", lost.size(),
                     lost.size() == 1 ? "" : "s");
}

// A block for clusters that none counts, or one that is noise; the next round fills in what is referenced.
// What may be lost data is counted once: it becomes a leak that is kept.
void add_block(Round& round, const Finding& finding, std::uint64_t index) {
  if (!round.new_blocks.insert(index).second) return;
  const std::optional<std::uint64_t> offset = round.allocator.allocate();
  if (!offset) return;
  const std::uint64_t per_block = round.context.refcounts->clusters_per_block;
  ClusterSet lost = find_lost_content(round, index * per_block, per_block);
  const RefcountBlock* noise = round.context.refcounts->block_of(index * per_block);
  if (noise && (noise->offset >> round.context.geometry.cluster_bits) / per_block == index)
    lost.add(noise->offset >> round.context.geometry.cluster_bits);
  std::vector<std::byte> counts(round.context.geometry.cluster_bytes);
  lost.for_each_run([&](std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
      set_refcount(counts, round.context.geometry.refcount_order, (first + i) % per_block, 1);
  });
  round.editor.begin(finding.rule, Remedy::safe,
                     fmt::format("write a new refcount block at {:#x}{}", *offset,
                                 lost.empty() ? "" : fmt::format(", which counts {}", kept_of(lost))),
                     Phase::structures);
  round.editor.write(File::image, *offset, counts);
  round.editor.begin(finding.rule, Remedy::safe, fmt::format("enter it as refcount block {}", index));
  round.editor.write_number(File::image, round.context.header.refcount_table_offset + index * 8, *offset);
}

// Clusters [first, first + count), which one block counts, get the refcount `value`.
void set_refcounts(Round& round, const RefcountBlock& block, std::uint64_t first, std::uint64_t count,
                   std::uint64_t value) {
  const unsigned order = round.context.geometry.refcount_order;
  const std::uint64_t index = first - block.index * round.context.refcounts->clusters_per_block;
  const std::uint64_t begin = (index << order) / 8;
  const std::uint64_t end = divide_up((index + count) << order, 8);
  std::vector<std::byte> bytes(end - begin);
  if (!round.editor.image().read(block.offset + begin, bytes)) return;
  const std::uint64_t shift = index - (begin * 8 >> order);
  for (std::uint64_t i = 0; i < count; ++i) set_refcount(bytes, order, shift + i, value);
  round.editor.write(File::image, block.offset + begin, bytes);
}

// Sectors of zeros that should count clusters in use were wiped. What else they counted may be lost data.
void keep_what_wiped_sectors_counted(Round& round, const Finding& finding) {
  if (finding.rule != rule("refcount/too-low") || finding.found != 0) return;
  const std::uint64_t first = finding.place.offset >> round.context.geometry.cluster_bits;
  const std::uint64_t per_sector = kSectorBytes * 8 >> round.context.geometry.refcount_order;
  std::vector<std::byte> sector(kSectorBytes);
  for (std::uint64_t at = first / per_sector * per_sector; at < first + finding.count; at += per_sector) {
    const RefcountBlock* block = round.context.refcounts->block_of(at);
    if (!block || !block->believed) continue;
    const std::uint64_t index = at % round.context.refcounts->clusters_per_block;
    const std::uint64_t offset = block->offset + index / per_sector * kSectorBytes;
    if (!round.wiped_sectors.insert(offset).second || !round.editor.image().read(offset, sector) ||
        leading_zeros(sector) != sector.size())
      continue;
    const ClusterSet lost = find_lost_content(round, at, per_sector);
    if (lost.empty()) continue;
    round.editor.begin(finding.rule, Remedy::safe, fmt::format("count {}", kept_of(lost)));
    lost.for_each_run([&](std::uint64_t lost_first, std::uint64_t lost_count) {
      set_refcounts(round, *block, lost_first, lost_count, 1);
    });
  }
}

// The clusters of a leak that are kept for being lost data, whether of this repair or of a former one; the
// user is told. What lies behind the end of the file holds nothing.
ClusterSet clusters_to_keep(Round& round, const Finding& leak) {
  ClusterSet kept;
  if (leak.rule != rule("refcount/leak") || round.options.allow_lossy ||
      round.chosen(leak.rule, "keep") == "free")
    return kept;
  const std::uint64_t first = leak.place.offset >> round.context.geometry.cluster_bits;
  const bool in_doubt = has_strayed_pointers(round);
  for (std::uint64_t cluster = first; cluster != first + leak.count; ++cluster)
    if (cluster < round.context.geometry.file_clusters && !round.released.contains(cluster) &&
        (in_doubt || round.held.contains(cluster) || round.context.kept.contains(cluster)))
      kept.add(cluster);
  if (kept.empty()) return kept;
  const std::string_view holds =
      round.found_before.contains(rule("header/magic")) ? "what only the lost header named"
      : in_doubt ? "the true data of a guest range that shared a cluster with another"
                 : "guest data that lost its reference";
  round.consent_needed.insert(fmt::format(
      "refcount/leak: {} {}; free them with --allow lossy or --choose refcount/leak=free",
      in_doubt || !round.held.empty() ? "clusters may hold" : "a former repair kept clusters that may hold",
      holds));
  return kept;
}

// Next to entries that lead nowhere, nothing is freed; the user is told.
bool may_be_named_by_lost_entry(Round& round, const Finding& finding) {
  if (!has_lost_pointers(round)) return false;
  round.consent_needed.insert(fmt::format(
      "{}: clusters may be what a damaged entry named; settle the damaged entries first", finding.rule->id));
  return true;
}

// Clusters from `at` up to `end`, of those that the finding is about.
void correct_run(Round& round, const Finding& finding, std::uint64_t at, std::uint64_t end) {
  const std::uint64_t per_block = round.context.refcounts->clusters_per_block;
  const std::uint64_t value = finding.expected.value_or(0);
  const std::uint64_t clusters = end - at;
  Step* step = nullptr;
  while (at < end) {
    const std::uint64_t count = std::min(end, (at / per_block + 1) * per_block) - at;
    const RefcountBlock* block = round.context.refcounts->block_of(at);
    if (block && !(block->believed && is_noise(round, *block))) {
      if (!step)
        step = &round.editor.begin(
            finding.rule, Remedy::safe,
            fmt::format("set the refcount of {} cluster{} at {:#x} to {}", clusters, clusters == 1 ? "" : "s",
                        at << round.context.geometry.cluster_bits, value));
      step->count = clusters;
      if (block->believed) set_refcounts(round, *block, at, count, value);
    } else {
      add_block(round, finding, at / per_block);
      step = nullptr;
    }
    at += count;
  }
}

void correct_refcounts(Round& round, const Finding& finding) {
  const bool lowers = finding.rule != rule("refcount/too-low");
  if (lowers && (!round.may_lower_refcounts() || may_be_named_by_lost_entry(round, finding))) return;
  keep_what_wiped_sectors_counted(round, finding);
  const ClusterSet kept = clusters_to_keep(round, finding);
  const std::uint64_t first = finding.place.offset >> round.context.geometry.cluster_bits;
  std::uint64_t begin = first;
  kept.for_each_run([&](std::uint64_t kept_first, std::uint64_t count) {
    correct_run(round, finding, begin, kept_first);
    begin = kept_first + count;
  });
  correct_run(round, finding, begin, first + finding.count);
}

void free_or_keep_orphan(Round& round, const Finding& finding) {
  if (round.chosen(finding.rule, "keep") != "free" || !round.context.unknown_references.empty()) return;
  Finding leak = finding;
  leak.severity = Severity::leak;
  leak.expected = 0;
  leak.count = finding.place.length >> round.context.geometry.cluster_bits;
  correct_refcounts(round, leak);
}

// Not in a table that may be none, nor where the flag tells which entry named an L2 table that is lost.
bool may_flip(const Round& round, const Finding& finding) {
  if (finding.rule != rule("l1/copied")) return true;
  const bool names_table = !finding.found || L1Entry{*finding.found}.l2_offset() != 0;
  return !round.doubts_l1_table() && (names_table || round.lost_l2_tables().empty());
}

// Every entry of the run has the bit wrong.
void flip_copied(Round& round, const Finding& finding) {
  if (!may_flip(round, finding)) return;
  round.editor
      .begin(finding.rule, Remedy::safe,
             fmt::format("make COPIED of {} entr{} say whether the refcount is 1", finding.count,
                         finding.count == 1 ? "y" : "ies"))
      .count = finding.count;
  const std::uint64_t entry_bytes = finding.place.structure == Structure::l2_table
                                        ? round.context.geometry.l2_entry_bytes
                                        : std::uint64_t{8};
  constexpr std::uint64_t kMostEntries = 4096;  // at once
  std::vector<std::byte> entries;
  for (std::uint64_t done = 0; done < finding.count; done += kMostEntries) {
    const std::uint64_t at = finding.place.offset + done * entry_bytes;
    entries.resize(std::min(kMostEntries, finding.count - done) * entry_bytes);
    if (!round.editor.image().read(at, entries)) continue;
    for (std::size_t i = 0; i < entries.size(); i += entry_bytes) {
      std::byte* entry = entries.data() + i;
      store_big_endian(entry, load_big_endian<std::uint64_t>(entry) ^ kCopied);
    }
    round.editor.write(File::image, at, entries);
  }
}

constexpr RemedyRow kRows[] = {
    {rule("refcount/too-low"), Stage::refcounts, correct_refcounts},
    {rule("refcount/too-high"), Stage::refcounts, correct_refcounts},
    {rule("refcount/leak"), Stage::refcounts, correct_refcounts},
    {rule("refcount/orphan-mapping"), Stage::refcounts, free_or_keep_orphan},
    {rule("l1/copied"), Stage::copied, flip_copied},
    {rule("l2/copied"), Stage::copied, flip_copied},
};

}  // namespace

std::span<const RemedyRow> refcount_remedies() {
  return kRows;
}

}  // namespace cowvet
