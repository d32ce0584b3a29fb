// The refcount table: one that cannot be used, or is too short or too narrow, is made anew;
// refcount_remedies.cc fills its blocks.
#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/bytes.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_lookup.h"
#include "checker/analysis/refcount_table.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/format/refcount_block.h"
#include "checker/planning/round.h"
#include "checker/planning/trial.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMostTableBytes = 8 << 20;  // QEMU limit

// Of what is no refcount table at all, more than a few entries make no sense.
bool is_noise(const Findings& found) {
  return broken_entries(found) > kMostBrokenEntries;
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
  return broken_entries(round.context.findings) > round.context.refcounts->blocks.size() / 2;
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
    return table.block_of(cluster) && look_up_refcount(round.context, cluster) != 0;
  };
  return is_counted(0) && std::ranges::all_of(table.blocks, [&](const RefcountBlock& block) {
           return block.believed && is_counted(block.offset >> bits);
         });
}

// Whether nothing is unknown but for the refcounts: then they can be counted anew.
bool is_known_without_refcounts(const Round& round) {
  const Patch no_table{offsetof(RawHeader, refcount_table_offset), std::vector<std::byte>(12)};
  const PatchedImage patched(round.context.inputs, {no_table});
  Options options = round.context.options;
  options.guest_data = false;
  Progress unseen;
  Context apart(patched.inputs, options, unseen);
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
};

}  // namespace

std::span<const RemedyRow> refcount_table_remedies() {
  return kRows;
}

}  // namespace cowvet
