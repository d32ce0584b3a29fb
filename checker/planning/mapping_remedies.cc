// L1 and L2 entries. What the guest reads is kept wherever it can be known: reserved bits are cleared, shared
// clusters get private copies, lost tables are found again; only then, and only with consent, do clusters
// become zeros.
#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/l2_entry.h"
#include "checker/analysis/table_reader.h"
#include "checker/analysis/tables.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/planning/doubtful_tables.h"
#include "checker/planning/impact.h"
#include "checker/planning/patched_round.h"
#include "checker/planning/private_copies.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

// Applies change(entry offset) to each entry of the run.
template <typename Change>
void change_entries(Round& round, const Finding& finding, Remedy remedy, std::string why, Change change) {
  Step& step = round.editor.begin(finding.rule, remedy, std::move(why));
  step.count = finding.count;
  if (remedy == Remedy::lossy && finding.place.guest)
    add_impact(round, finding, *finding.place.guest, "an error, or data of unknown origin", "zeros", step);
  const std::uint64_t entry_bytes = finding.place.structure == Structure::l2_table
                                        ? round.context.geometry.l2_entry_bytes
                                        : std::uint64_t{8};
  for (std::uint64_t i = 0; i < finding.count; ++i) change(finding.place.offset + i * entry_bytes);
}

template <typename Change>
void change_numbers(Round& round, const Finding& finding, std::string why, std::uint64_t field,
                    Change change) {
  change_entries(round, finding, Remedy::safe, std::move(why), [&](std::uint64_t at) {
    const auto raw = round.editor.read_number<std::uint64_t>(File::image, at + field);
    round.editor.write_number(File::image, at + field, change(raw));
  });
}

void clear_reserved_l1(Round& round, const Finding& finding) {
  if (round.doubts_l1_table() && finding.place.owner.empty()) return;
  change_numbers(round, finding, "clear reserved bits", 0,
                 [](std::uint64_t raw) { return raw & ~L1Entry::kReserved; });
}

// Without the reserved bits the entry must be one that a table may hold: else not these bits are wrong, but
// all of it, and nobody knows what the guest would read.
void clear_reserved_l2(Round& round, const Finding& finding) {
  const Context& context = round.context;
  const EntryJudge judge(context);
  const bool no_zero_bit = context.header.version < 3;
  bool is_any_left = false;
  change_numbers(round, finding, "clear reserved bits", 0, [&](std::uint64_t raw) {
    if (raw & kCompressed) return raw & ~compressed_reserved({raw}, context.geometry.cluster_bits);
    const std::uint64_t cleared = raw & ~(L2Entry::kReserved | (no_zero_bit ? L2Entry::kZero : 0));
    const std::uint64_t plain = cleared & ~(context.header.has_extended_l2() ? L2Entry::kZero : 0);
    if (judge.is_plausible(plain, {0}) || context.header.has_data_file()) return cleared;
    is_any_left = true;
    return raw;
  });
  if (is_any_left) round.may(finding, Remedy::lossy);
}

void clear_copied(Round& round, const Finding& finding) {
  change_numbers(round, finding, "clear COPIED, which compressed clusters do not have", 0,
                 [](std::uint64_t raw) { return raw & ~kCopied; });
}

void clear_zero_bit(Round& round, const Finding& finding) {
  change_numbers(round, finding, "clear bit 0, which extended L2 entries do not have", 0,
                 [](std::uint64_t raw) { return raw & ~L2Entry::kZero; });
}

void clear_subclusters(Round& round, const Finding& finding) {
  change_numbers(round, finding, "clear the subcluster bitmap of a compressed cluster", 8,
                 [](std::uint64_t) { return std::uint64_t{0}; });
}

// What the guest reads of the subclusters in `both`, those of the cluster at `guest`, is settled here.
void add_subcluster_impact(Round& round, const Finding& finding, std::uint64_t guest, std::uint64_t both,
                           Step& step) {
  constexpr unsigned kSubclusters = 32;
  const std::uint64_t length = round.context.geometry.cluster_bytes / kSubclusters;
  for (unsigned i = 0; i < kSubclusters; ++i)
    if (both >> i & 1)
      add_impact(round, finding, {guest + i * length, length}, "an error", step.outcome, step);
}

void settle_subclusters(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, "data");
  if (outcome != "data" && outcome != "zero") return;
  const bool data = outcome == "data";
  Step& step =
      round.editor.begin(finding.rule, Remedy::choice,
                         data ? "read these subclusters as data" : "read these subclusters as zeros");
  step.outcome = outcome;
  step.count = finding.count;
  for (std::uint64_t i = 0; i < finding.count; ++i) {
    const std::uint64_t at = finding.place.offset + i * round.context.geometry.l2_entry_bytes + 8;
    const auto raw = round.editor.read_number<std::uint64_t>(File::image, at);
    const std::uint64_t both = SubclusterBitmap{raw}.conflict();
    if (finding.place.guest)
      add_subcluster_impact(
          round, finding, finding.place.guest->offset + i * round.context.geometry.cluster_bytes, both, step);
    round.editor.write_number(File::image, at, raw & ~(data ? both << 32 : both));
  }
}

void free_past_end(Round& round, const Finding& finding) {
  change_entries(round, finding, Remedy::safe, "free clusters behind the end of the disk",
                 [&](std::uint64_t at) {
                   round.editor.write_number(File::image, at, std::uint64_t{0});
                   if (round.context.header.has_extended_l2())
                     round.editor.write_number(File::image, at + 8, std::uint64_t{0});
                 });
}

// The guest reads zeros here from now on. Version 2 has no zero flag: there a cluster of zeros is allocated.
void make_zero(Round& round, const Finding& finding) {
  const Context& context = round.context;
  change_entries(round, finding, Remedy::lossy, "let the guest read zeros where its data cannot be found",
                 [&](std::uint64_t at) {
                   std::uint64_t entry = L2Entry::kZero;
                   if (context.header.has_extended_l2()) {
                     entry = 0;
                     round.editor.write_number(File::image, at + 8, std::uint64_t{0xffffffff} << 32);
                   } else if (context.header.version < 3) {
                     const auto cluster = round.allocator.allocate();
                     if (!cluster) return;
                     round.editor.write(File::image, *cluster,
                                        std::vector<std::byte>(context.geometry.cluster_bytes));
                     entry = *cluster | kCopied;
                   }
                   round.editor.write_number(File::image, at, entry);
                 });
}

void drop_or_zero(Round& round, const Finding& finding) {
  const auto raw = round.editor.read_number<std::uint64_t>(File::image, finding.place.offset);
  const L2Entry entry{raw};
  const bool reads_zeros = !entry.compressed() && entry.zero() && entry.reserved() == 0 &&
                           round.context.header.version >= 3 && !round.context.header.has_extended_l2();
  // A preallocated zero cluster loses only its preallocation.
  if (reads_zeros && finding.count == 1) {
    change_entries(round, finding, Remedy::safe, "drop the preallocation of a zero cluster",
                   [&](std::uint64_t at) { round.editor.write_number(File::image, at, L2Entry::kZero); });
    return;
  }
  if (round.may(finding, Remedy::lossy)) make_zero(round, finding);
}

// Of a compressed cluster that lies on something else and cannot be decoded, nothing is left to copy.
void separate(Round& round, const Finding& finding) {
  if (make_private_copy(round, finding) || finding.rule != rule("l2/overlaps-metadata")) return;
  const auto raw = round.editor.read_number<std::uint64_t>(File::image, finding.place.offset);
  if (raw & kCompressed) drop_or_zero(round, finding);
}

// A table whose end is not found claims all that lies behind it, and so would claim every new cluster.
bool is_end_in_doubt(const Round& round, const Place& table) {
  const auto is_found = [&round](RuleId rule_id) { return round.context.findings.added(rule_id) != 0; };
  if (table.structure == Structure::snapshot_table)
    return is_found(rule("header/snapshots-too-many")) || is_found(rule("snapshot/entry-truncated"));
  return table.structure == Structure::bitmap_directory && is_found(rule("bitmap/entry-truncated"));
}

// Data that an L1 entry takes for an L2 table stays: it proves that the entry is wrong.
void leave_metadata(Round& round, const Finding& finding) {
  if (finding.other && is_end_in_doubt(round, *finding.other)) return;
  const std::vector<const Finding*> misused = round.of_rule(rule("l1/not-l2"));
  const bool proves = finding.other && std::ranges::any_of(misused, [&](const Finding* other) {
                        return (other->found.value_or(0) & kOffsetMask) == finding.other->offset;
                      });
  if (!proves) separate(round, finding);
}

// The only L2 table that nothing names.
std::optional<std::uint64_t> only_lost_table(const Round& round) {
  const std::vector<const Finding*> lost = round.lost_l2_tables();
  return lost.size() == 1 ? std::optional(lost.front()->place.offset) : std::nullopt;
}

// Whether the L2 table maps guest data to the cluster in which `offset` lies: what is taken for an L1 table
// there is none.
bool names_cluster_of(Round& round, std::uint64_t table, std::uint64_t offset) {
  const Geometry& geometry = round.context.geometry;
  const EntryJudge judge(round.context);
  bool names = false;
  for_each_l2_entry(round.context, table, geometry.l2_entries, [&](std::uint64_t, std::uint64_t raw) {
    const Held held = judge.held(raw);
    names |= (offset >> geometry.cluster_bits) - held.first < held.count;
  });
  return names;
}

// Lost L2 tables and L1 entries that name none: where there is one of each, they belong together.
void relink_or_drop(Round& round, const Finding& finding, std::optional<std::uint64_t> lost) {
  if (lost && names_cluster_of(round, *lost, finding.place.offset)) return;
  if (lost) {
    Step& step = round.editor.begin(finding.rule, Remedy::safe,
                                    fmt::format("name the only lost L2 table, at {:#x}", *lost));
    step.impact.push_back({*finding.place.guest, finding.place.owner,
                           "an error, or another structure's content", "the data that the lost table maps"});
    round.editor.write_number(File::image, finding.place.offset, *lost | kCopied);
    return;
  }
  if (!round.may(finding, Remedy::lossy)) return;
  Step& step = round.editor.begin(finding.rule, Remedy::lossy, "give up an L2 table that cannot be found");
  step.impact.push_back({*finding.place.guest, finding.place.owner,
                         "an error, or another structure's content", "nothing is mapped"});
  round.editor.write_number(File::image, finding.place.offset, std::uint64_t{0});
}

void relink_or_drop_table(Round& round, const Finding& finding) {
  const Findings& found = round.context.findings;
  // Which of the two lies there cannot be told; refcounts could be counted anew, the table could not.
  const bool is_unknown = found.total(Severity::unchecked) != 0;
  if (is_unknown && finding.other && finding.other->structure == Structure::refcount_table) return;
  const std::uint64_t broken =
      found.added(rule("l1/unaligned")) + found.added(rule("l1/outside")) + found.added(rule("l1/not-l2"));
  relink_or_drop(round, finding, broken == 1 ? only_lost_table(round) : std::nullopt);
}

// Where the whole table is noise, it is the L1 entry that is wrong. What the noise seems to refer to may be
// the lost table itself.
template <RemedyFunction settle>
void settle_entry(Round& round, const Finding& finding) {
  if (!is_in_doubtful_table(round, finding)) return settle(round, finding);
  const auto of_entry = as_finding_of_l1_entry(round, finding);
  if (!of_entry) return;
  std::optional<std::uint64_t> lost;
  if (count_doubtful_tables(round) == 1) {
    lost = only_lost_table(round);
    const Patch no_entry = Patch::number(of_entry->place.offset, std::uint64_t{0});
    if (!lost) lost = only_lost_table(PatchedRound(round, {no_entry}).round());
  }
  relink_or_drop(round, *of_entry, lost);
}

constexpr RemedyRow kRows[] = {
    {rule("l1/reserved-bits"), Stage::tables, clear_reserved_l1},
    {rule("l1/unaligned"), Stage::tables, relink_or_drop_table},
    {rule("l1/outside"), Stage::tables, relink_or_drop_table},
    {rule("l1/not-l2"), Stage::tables, relink_or_drop_table},
    {rule("l1/shared"), Stage::tables, copy_shared_table},
    {rule("l2/reserved-bits"), Stage::entries, settle_entry<clear_reserved_l2>},
    {rule("l2/compressed-copied"), Stage::entries, settle_entry<clear_copied>},
    {rule("l2/zero-bit-extended"), Stage::entries, settle_entry<clear_zero_bit>},
    {rule("l2/subcluster-on-compressed"), Stage::entries, settle_entry<clear_subclusters>},
    {rule("l2/subcluster-conflict"), Stage::entries, settle_entry<settle_subclusters>},
    {rule("l2/subcluster-without-cluster"), Stage::entries, settle_entry<drop_or_zero>},
    {rule("l2/unaligned"), Stage::entries, settle_entry<drop_or_zero>},
    {rule("l2/outside"), Stage::entries, settle_entry<drop_or_zero>},
    {rule("l2/offset-zero"), Stage::entries, settle_entry<drop_or_zero>},
    {rule("l2/compressed-outside"), Stage::entries, settle_entry<drop_or_zero>},
    {rule("l2/compressed-undecodable"), Stage::entries, settle_entry<drop_or_zero>},
    {rule("l2/past-end"), Stage::entries, settle_entry<free_past_end>},
    {rule("l2/cross-linked"), Stage::entries, settle_entry<separate>},
    {rule("l2/overlaps-metadata"), Stage::copies, settle_entry<leave_metadata>},
};

}  // namespace

std::span<const RemedyRow> mapping_remedies() {
  return kRows;
}

}  // namespace cowvet
