// Snapshots. What the table says of each can often be derived, and lost tables can be found again; only a
// snapshot for which neither helps is given up, alone and with consent.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checker/format/header.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/lost_tables.h"
#include "checker/planning/round.h"
#include "checker/planning/snapshot_table.h"
#include "checker/planning/table_candidates.h"
#include "checker/planning/trial.h"

namespace cowvet {
namespace {

constexpr std::size_t kMostExtraBytes = 1024;  // QEMU limit

// The snapshot whose table entry a finding lies in.
const SnapshotRecord* record_of(const Round& round, const Finding& finding) {
  const auto& records = round.context.snapshots;
  const auto behind =
      std::ranges::upper_bound(records, finding.place.offset, {}, &SnapshotRecord::entry_offset);
  if (behind == records.begin()) return nullptr;
  const SnapshotRecord& record = *std::prev(behind);
  return finding.place.offset - record.entry_offset < sizeof(RawSnapshotHead) ? &record : nullptr;
}

void drop_offenders(Round& round, const Finding& finding) {
  if (round.rewrote_snapshots || !round.may(finding, Remedy::metadata)) return;
  std::set<std::uint64_t> offsets;
  for (const Finding* other : round.of_rule(finding.rule))
    if (const SnapshotRecord* record = record_of(round, *other)) offsets.insert(record->entry_offset);
  drop_snapshots(round, finding,
                 fmt::format("give up {} snapshot{} that cannot be read", offsets.size(),
                             offsets.size() == 1 ? "" : "s"),
                 [&](const SnapshotRecord& record) { return offsets.contains(record.entry_offset); });
}

void drop_snapshot(Round& round, const Finding& finding) {
  if (round.is_first_of(finding.rule)) drop_offenders(round, finding);
}

void find_or_drop_l1(Round& round, const Finding& finding) {
  const SnapshotRecord* record = record_of(round, finding);
  if (!record || round.rewrote_snapshots || !round.is_first_of(finding.rule)) return;
  const auto is_lost = [](const SnapshotRecord& other) { return !other.l1_usable; };
  std::vector<Candidate> candidates;
  if (std::ranges::count_if(round.context.snapshots, is_lost) == 1)
    candidates = snapshot_l1_candidates(round, *record);
  const Candidate* candidate = pick(round, finding, candidates);
  if (!candidate) {
    if (candidates.empty()) drop_offenders(round, finding);
    return;
  }
  apply_candidate(round, finding, *candidate)
      .impact.push_back({{0, record->snapshot.disk_size(round.context.header.size)},
                         record->owner(),
                         "an error",
                         "the data that the lost table maps"});
}

void shrink_or_drop_l1(Round& round, const Finding& finding) {
  const SnapshotRecord* record = record_of(round, finding);
  if (!record || round.rewrote_snapshots) return;
  const Snapshot& snapshot = record->snapshot;
  const auto entries = record->l1_usable ? used_l1_entries(round, snapshot.l1_table_offset, snapshot.l1_size,
                                                           snapshot.disk_size(round.context.header.size))
                                         : std::nullopt;
  if (!entries || *entries > kMostL1Entries) return drop_snapshot(round, finding);
  round.editor.begin(finding.rule, Remedy::safe,
                     fmt::format("say that the L1 table has {} entries: those behind are empty", *entries));
  round.editor.write_number(File::image, record->entry_offset + offsetof(RawSnapshotHead, l1_size),
                            static_cast<std::uint32_t>(*entries));
}

void lengthen_or_drop_l1(Round& round, const Finding& finding) {
  const SnapshotRecord* record = record_of(round, finding);
  if (!record || round.rewrote_snapshots) return;
  const Snapshot& snapshot = record->snapshot;
  const std::uint64_t needed = finding.expected.value_or(0);
  const auto offset =
      record->l1_usable || snapshot.l1_size == 0
          ? make_room_for_l1(round, finding.rule, snapshot.l1_table_offset, snapshot.l1_size, needed)
          : std::nullopt;
  if (!offset) return drop_snapshot(round, finding);
  Step& step =
      round.editor.begin(finding.rule, Remedy::safe,
                         fmt::format("say that the L1 table has {} entries; the new ones are empty", needed));
  const std::uint64_t mapped = snapshot.l1_size * round.context.geometry.l2_window_bytes;
  step.impact.push_back(
      {{mapped, snapshot.disk_size(0) - mapped}, record->owner(), "an error", "nothing is mapped"});
  round.editor.write_number(File::image, record->entry_offset + offsetof(RawSnapshotHead, l1_table_offset),
                            *offset);
  round.editor.write_number(File::image, record->entry_offset + offsetof(RawSnapshotHead, l1_size),
                            static_cast<std::uint32_t>(needed));
}

// The table anew, with each snapshot as `change` makes it.
template <typename Change>
void rewrite_table(Round& round, const Finding& finding, const std::string& why, Change change) {
  if (round.rewrote_snapshots) return;
  // What has no id is hardly a snapshot: then it is not the table that is kept.
  const bool all_named = std::ranges::none_of(
      round.context.snapshots, [](const SnapshotRecord& record) { return record.snapshot.id.empty(); });
  if (!all_named && !round.may(finding, Remedy::metadata)) return;
  std::vector<Snapshot> snapshots;
  for (const SnapshotRecord& record : round.context.snapshots)
    change(snapshots.emplace_back(record.snapshot));
  write_snapshot_table(round, finding, Remedy::safe, why, snapshots);
}

// Version 2 says the VM state's size in 32 bits, and takes the disk for as large as the image's. An L1 table
// that is too short for that belongs to a smaller disk.
void complete_extra_data(Round& round, const Finding& finding) {
  const Context& context = round.context;
  rewrite_table(
      round, finding, "name the snapshot table with sizes of VM state and disk", [&](Snapshot& snapshot) {
        if (snapshot.extra_data.size() >= kSnapshotExtraNeededV3) return;
        const std::uint64_t mapped = snapshot.l1_size * context.geometry.l2_window_bytes;
        const std::uint64_t disk_bytes = std::min(snapshot.disk_size(context.header.size), mapped);
        const std::uint64_t vm_state_bytes = snapshot.vm_state_size();
        snapshot.extra_data.assign(kSnapshotExtraNeededV3, std::byte{0});
        store_big_endian(snapshot.extra_data.data() + offsetof(RawSnapshotExtra, vm_state_size),
                         vm_state_bytes);
        store_big_endian(snapshot.extra_data.data() + offsetof(RawSnapshotExtra, disk_size), disk_bytes);
      });
}

void shorten_extra_data(Round& round, const Finding& finding) {
  rewrite_table(round, finding, "name the snapshot table with no more extra data than QEMU reads",
                [](Snapshot& snapshot) {
                  if (snapshot.extra_data.size() > kMostExtraBytes)
                    snapshot.extra_data.resize(kMostExtraBytes);
                });
}

void renumber(Round& round, const Finding& finding) {
  if (!round.is_first_of(finding.rule)) return;
  std::set<std::string> used;
  for (const SnapshotRecord& record : round.context.snapshots) used.insert(record.snapshot.id);
  std::set<std::string> seen;
  std::uint64_t next = 1;
  rewrite_table(round, finding, "name the snapshot table in which each id is used once",
                [&](Snapshot& snapshot) {
                  if (seen.insert(snapshot.id).second) return;
                  while (!used.insert(fmt::to_string(next)).second) ++next;
                  snapshot.id = fmt::to_string(next);
                  seen.insert(snapshot.id);
                });
}

// The entry at `at` with extra data of the usual lengths: the only one that makes sense.
std::optional<std::uint32_t> derive_extra_size(Round& round, std::uint64_t at) {
  constexpr std::uint64_t kMostEntryBytes = 132 << 10;
  const std::uint64_t file_bytes = round.context.geometry.file_bytes;
  if (!fits_in(at, sizeof(RawSnapshotHead), file_bytes)) return std::nullopt;
  std::vector<std::byte> entry(std::min(kMostEntryBytes, file_bytes - at));
  if (!round.editor.image().read(at, entry)) return std::nullopt;
  std::optional<std::uint32_t> found;
  for (const std::uint32_t size :
       {std::uint32_t{0}, kSnapshotExtraNeededV3, std::uint32_t{sizeof(RawSnapshotExtra)}}) {
    store_big_endian(entry.data() + offsetof(RawSnapshotHead, extra_data_size), size);
    const auto decoded = decode_snapshot(entry);
    if (!decoded || !is_plausible_snapshot(round, decoded->snapshot)) continue;
    if (found) return std::nullopt;
    found = size;
  }
  return found;
}

void derive_or_cut_table(Round& round, const Finding& finding) {
  if (round.rewrote_snapshots) return;
  if (const auto size = derive_extra_size(round, finding.place.offset)) {
    round.editor.begin(
        finding.rule, Remedy::safe,
        fmt::format("say that the entry has {} bytes of extra data: so it makes sense", *size));
    round.editor.write_number(File::image, finding.place.offset + offsetof(RawSnapshotHead, extra_data_size),
                              *size);
    return;
  }
  if (!round.may(finding, Remedy::metadata)) return;
  drop_snapshots(round, finding, "end the snapshot table behind the last snapshot that is whole",
                 [](const SnapshotRecord&) { return false; });
}

// The header counts more than the table has: what follows the last sensible entry is none.
void cut_count(Round& round, const Finding& finding) {
  if (!round.context.snapshots_usable || !round.may(finding, Remedy::metadata)) return;
  bool ended = false;
  drop_snapshots(round, finding, "count the snapshots that are in the table",
                 [&](const SnapshotRecord& record) {
                   ended |= record.snapshot.id.empty() || !record.l1_usable;
                   return ended;
                 });
}

void find_or_drop_table(Round& round, const Finding& finding) {
  const std::uint32_t count = round.context.header.nb_snapshots;
  const std::vector<std::uint64_t> offsets = lost_snapshot_tables(round, count);
  if (offsets.size() == 1) {
    Step& step = round.editor.begin(finding.rule, Remedy::safe,
                                    fmt::format("name the only lost snapshot table, at {:#x}", offsets[0]));
    step.count = finding.count;
    round.editor.write_number(File::image, offsetof(RawHeader, snapshots_offset), offsets[0]);
    return;
  }
  if (!round.may(finding, Remedy::metadata)) return;
  drop_snapshots(round, finding, "give up all snapshots: their table cannot be found",
                 [](const SnapshotRecord&) { return true; });
}

// Where an entry makes no sense, the table may be somewhere else.
void question_table(Round& round, const Finding& finding) {
  if (!round.questioned.insert("snapshot table").second) return;
  std::vector<Candidate> candidates = snapshot_table_candidates(round);
  if (const Candidate* candidate = pick_perfect(round, candidates))
    apply_candidate(round, finding, *candidate);
}

constexpr RemedyRow kRows[] = {
    {rule("snapshot/entry-truncated"), Stage::pointers, question_table},
    {rule("snapshot/l1-unaligned"), Stage::pointers, question_table},
    {rule("snapshot/l1-outside"), Stage::pointers, question_table},
    {rule("snapshot/l1-too-large"), Stage::pointers, question_table},
    {rule("snapshot/size-beyond-l1"), Stage::pointers, question_table},
    {rule("snapshot/extra-data-short"), Stage::pointers, question_table},
    {rule("snapshot/extra-data-long"), Stage::pointers, question_table},
    {rule("snapshot/duplicate-id"), Stage::pointers, question_table},
    {rule("header/snapshots-unaligned"), Stage::header, find_or_drop_table},
    {rule("header/snapshots-outside"), Stage::header, find_or_drop_table},
    {rule("header/snapshots-too-many"), Stage::header, cut_count},
    {rule("snapshot/entry-truncated"), Stage::tables, derive_or_cut_table},
    {rule("snapshot/l1-unaligned"), Stage::tables, find_or_drop_l1},
    {rule("snapshot/l1-outside"), Stage::tables, find_or_drop_l1},
    {rule("snapshot/l1-too-large"), Stage::tables, shrink_or_drop_l1},
    {rule("snapshot/size-beyond-l1"), Stage::tables, lengthen_or_drop_l1},
    {rule("snapshot/extra-data-short"), Stage::auxiliary, complete_extra_data},
    {rule("snapshot/extra-data-long"), Stage::auxiliary, shorten_extra_data},
    {rule("snapshot/duplicate-id"), Stage::auxiliary, renumber},
};

}  // namespace

std::span<const RemedyRow> snapshot_remedies() {
  return kRows;
}

}  // namespace cowvet
