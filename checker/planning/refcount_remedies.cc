// Refcounts and COPIED bits are redundant: what they should be follows from the references, which the checker
// has counted. Each remedy takes one step towards that; the next round finds what is still missing (a new
// refcount block, for example, is itself a cluster that nothing counts yet).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "checker/analysis/bytes.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/device/read_fully.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/format/refcount_block.h"
#include "checker/planning/lost_counts.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMostTableBytes = 8 << 20;  // QEMU limit

// Of what is no refcount table at all, more than a few entries make no sense.
bool is_noise(const Findings& found) {
  constexpr std::uint64_t kMostBroken = 8;
  return found.added(rule("refcount/block-reserved-bits")) + found.added(rule("refcount/block-unaligned")) +
             found.added(rule("refcount/block-outside")) >
         kMostBroken;
}

// What the new table replaces is no lost data, whatever it looks like.
void release_old_counts(Round& round, bool keeps_blocks) {
  const Context& context = round.context;
  const unsigned bits = context.geometry.cluster_bits;
  if (!context.refcount_table_usable || is_noise(context.findings)) return;
  round.release(context.header.refcount_table_offset,
                std::uint64_t{context.header.refcount_table_clusters} << bits);
  if (keeps_blocks) return;
  for (const RefcountBlock& block : context.refcounts->blocks)
    if (block.believed) round.release(block.offset, context.geometry.cluster_bytes);
}

// A new refcount table, large enough for the file and for its own growth, at `order`: without blocks, or with
// those that are believed.
bool replace_table(Round& round, const Finding& finding, unsigned order, bool keeps_blocks = false) {
  Context& context = round.context;
  const Geometry& geometry = context.geometry;
  const std::uint64_t per_block = refcounts_per_block(geometry.cluster_bits, order);
  const std::uint64_t file_clusters = divide_up(round.editor.image().size_bytes(), geometry.cluster_bytes);
  // Room for the blocks of this table and half as much again.
  const std::uint64_t clusters = file_clusters + file_clusters / 2 + divide_up(file_clusters, per_block) + 64;
  const std::uint64_t table_clusters = divide_up(divide_up(clusters, per_block) * 8, geometry.cluster_bytes);
  if (table_clusters << geometry.cluster_bits > kMostTableBytes) return false;
  const std::optional<std::uint64_t> offset = round.allocator.allocate(table_clusters);
  if (!offset) return false;
  round.editor.begin(
      finding.rule, Remedy::safe,
      fmt::format("write a new refcount table of {} clusters at {:#x}", table_clusters, *offset),
      Phase::structures);
  // What lies there now must not be taken for entries; blocks that still hold take their old places.
  std::vector<std::byte> table(table_clusters << geometry.cluster_bits);
  if (keeps_blocks)
    for (const RefcountBlock& block : context.refcounts->blocks)
      if (block.believed && block.index * 8 < table.size())
        store_big_endian(table.data() + block.index * 8, block.offset);
  round.editor.write(File::image, *offset, table);
  release_old_counts(round, keeps_blocks);
  round.editor.begin(finding.rule, Remedy::safe, "point the header to the new refcount table");
  round.editor.write_number(File::image, offsetof(RawHeader, refcount_table_offset), *offset);
  round.editor.write_number(File::image, offsetof(RawHeader, refcount_table_clusters),
                            static_cast<std::uint32_t>(table_clusters));
  if (order != context.header.refcount_order && context.header.version >= 3)
    round.editor.write_number(File::image, offsetof(RawHeader, refcount_order), std::uint32_t{order});
  return true;
}

// Whether most entries of the table make no sense: then it is not the table.
bool is_garbage(const Round& round) {
  const Findings& found = round.context.findings;
  const std::uint64_t broken = found.added(rule("refcount/block-reserved-bits")) +
                               found.added(rule("refcount/block-unaligned")) +
                               found.added(rule("refcount/block-outside"));
  return broken > round.context.refcounts->blocks.size() / 2;
}

// Whether refcounts that tell nothing any more may be counted anew: what was lost besides is known, and kept.
bool may_count_anew(const Round& round) {
  return round.context.unknown_references.empty() && round.context.findings.total(Severity::unchecked) == 0;
}

void rebuild_table(Round& round, const Finding& finding) {
  const bool tells_nothing = std::ranges::none_of(round.context.refcounts->blocks, &RefcountBlock::believed);
  const bool may =
      round.may_lower_refcounts() || ((tells_nothing || is_garbage(round)) && may_count_anew(round));
  if (!may || round.replaced_table) return;
  round.replaced_table = true;
  const bool bad_order = finding.rule == rule("header/refcount-order");
  replace_table(round, finding, bad_order ? 4 : round.context.geometry.refcount_order);
}

// Whether the table is what it should be: its blocks count the header, and each other.
bool counts_itself(const Round& round) {
  const RefcountTable& table = *round.context.refcounts;
  const unsigned bits = round.context.geometry.cluster_bits;
  const auto is_counted = [&](std::uint64_t cluster) {
    const RefcountBlock* block = table.block_of(cluster);
    std::vector<std::byte> counts(round.context.geometry.cluster_bytes);
    return block && round.context.image.read(block->offset, counts) &&
           get_refcount(counts, round.context.geometry.refcount_order, cluster % table.clusters_per_block) !=
               0;
  };
  return is_counted(0) && std::ranges::all_of(table.blocks, [&](const RefcountBlock& block) {
           return block.believed && is_counted(block.offset >> bits);
         });
}

// Whether nothing is unknown but for the refcounts: then they can be counted anew.
bool is_known_without_refcounts(const Round& round) {
  OverlayDevice image(round.context.inputs.image);
  image.write(offsetof(RawHeader, refcount_table_offset), std::vector<std::byte>(12));
  const Inputs inputs{image, round.context.inputs.open_data_file, round.context.inputs.open_backing};
  Options options = round.context.options;
  options.guest_data = false;
  Progress unseen;
  Context apart(inputs, options, unseen);
  run_passes(apart);
  return apart.unknown_references.empty() && apart.findings.total(Severity::unchecked) == 0;
}

// Another structure lies on the refcount table. One that is sound moves with all its blocks, else it is made
// anew.
void leave_overlap(Round& round, const Finding& finding) {
  const bool is_party = finding.place.structure == Structure::refcount_table ||
                        (finding.other && finding.other->structure == Structure::refcount_table);
  if (!is_party || round.moved_for_overlap || round.replaced_table) return;
  const bool moves = counts_itself(round);
  if (!moves && !round.may_lower_refcounts() && !is_known_without_refcounts(round)) return;
  round.replaced_table = true;
  replace_table(round, finding, round.context.geometry.refcount_order, moves);
}

// The smallest order that can hold the count found.
void widen_refcounts(Round& round, const Finding& finding) {
  if (round.context.header.version < 3 || !round.may_lower_refcounts() || round.replaced_table) return;
  std::uint64_t most = 0;
  for (const Finding* other : round.of_rule(finding.rule)) most = std::max(most, other->expected.value_or(0));
  unsigned order = round.context.geometry.refcount_order;
  while (order < 6 && max_refcount(order) < most) ++order;
  round.replaced_table = true;
  replace_table(round, finding, order);
}

void lengthen_table(Round& round, const Finding& finding) {
  if (round.replaced_table) return;
  round.replaced_table = true;
  replace_table(round, finding, round.context.geometry.refcount_order, true);
}

void clear_table_entry(Round& round, const Finding& finding) {
  if (!may_count_anew(round)) return;
  if (is_garbage(round)) return rebuild_table(round, finding);
  round.editor.begin(finding.rule, Remedy::safe, "drop a refcount block that cannot be believed");
  round.editor.write_number(File::image, finding.place.offset, std::uint64_t{0});
}

void clear_table_entry_bits(Round& round, const Finding& finding) {
  if (is_garbage(round)) return rebuild_table(round, finding);
  round.editor.begin(finding.rule, Remedy::safe, "clear reserved bits");
  const auto raw = round.editor.read_number<std::uint64_t>(File::image, finding.place.offset);
  round.editor.write_number(File::image, finding.place.offset, raw & ~RefcountTableEntry::kReserved);
}

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
    {rule("overlap/metadata"), Stage::overlaps, leave_overlap},
    {rule("header/refcount-order"), Stage::tables, rebuild_table},
    {rule("header/refcount-table-unaligned"), Stage::tables, rebuild_table},
    {rule("header/refcount-table-outside"), Stage::tables, rebuild_table},
    {rule("header/refcount-table-too-large"), Stage::tables, rebuild_table},
    {rule("header/refcount-table-missing"), Stage::tables, rebuild_table},
    {rule("refcount/block-reserved-bits"), Stage::tables, clear_table_entry_bits},
    {rule("refcount/block-unaligned"), Stage::tables, clear_table_entry},
    {rule("refcount/block-outside"), Stage::tables, clear_table_entry},
    {rule("refcount/block-shared"), Stage::tables, clear_table_entry},
    {rule("refcount/block-overlap"), Stage::tables, clear_table_entry},
    {rule("refcount/overflow"), Stage::refcounts, widen_refcounts},
    {rule("refcount/table-too-short"), Stage::refcounts, lengthen_table},
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
