// The header's pointer to the active L1 table. One wrong number there loses the whole disk, and yet costs
// nothing: the table is still in the file, and recognised by how well everything fits together with it.
#include <fmt/format.h>

#include <algorithm>

#include "checker/format/header.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/lost_tables.h"
#include "checker/planning/patched_round.h"
#include "checker/planning/table_candidates.h"

namespace cowvet {
namespace {

void say_length(Round& round, const Finding& finding, std::uint64_t entries) {
  round.editor.begin(finding.rule, Remedy::safe,
                     fmt::format("say that the L1 table has {} entries: those behind are empty", entries));
  round.editor.write_number(File::image, offsetof(RawHeader, l1_size), static_cast<std::uint32_t>(entries));
}

// An L1 table of zeros. Nothing is lost with it where nothing in the file can be the guest's.
void start_anew(Round& round, const Finding& finding) {
  const Context& context = round.context;
  const std::uint64_t entries = divide_up(context.header.size, context.geometry.l2_window_bytes);
  if (entries > kMostL1Entries) return;
  const bool is_empty = unowned_are_zeros(round);
  const Remedy remedy = is_empty ? Remedy::safe : Remedy::lossy;
  if (!round.may(finding, remedy)) return;
  const std::uint64_t clusters =
      std::max<std::uint64_t>(1, divide_up(entries * 8, context.geometry.cluster_bytes));
  auto offset = round.allocator.allocate(clusters);
  // Where the file only has to grow by what was cut off, the plan would show nothing.
  if (offset == context.header.l1_table_offset) offset = round.allocator.allocate(clusters);
  if (!offset) return;
  round.editor.begin(finding.rule, remedy, fmt::format("write an empty L1 table at {:#x}", *offset),
                     Phase::structures);
  round.editor.write(File::image, *offset, std::vector<std::byte>(clusters << context.geometry.cluster_bits));
  Step& step = round.editor.begin(finding.rule, remedy,
                                  is_empty ? "name it: the image holds no guest data"
                                           : "name it: what the guest wrote cannot be found any more");
  step.impact.push_back({{0, context.header.size}, "", "an error", "nothing is mapped"});
  round.editor.write_number(File::image, offsetof(RawHeader, l1_table_offset), *offset);
  round.editor.write_number(File::image, offsetof(RawHeader, l1_size), static_cast<std::uint32_t>(entries));
}

void find_l1_table(Round& round, const Finding& finding) {
  const Context& context = round.context;
  if (std::exchange(round.moved_l1, true)) return;
  if (context.header.l1_size == 0 && context.header.size == 0) {
    round.editor.begin(finding.rule, Remedy::safe, "clear the offset of an L1 table without entries");
    round.editor.write_number(File::image, offsetof(RawHeader, l1_table_offset), std::uint64_t{0});
    return;
  }
  std::vector<Candidate> candidates = l1_candidates(round);
  if (const Candidate* candidate = pick(round, finding, candidates)) {
    apply_candidate(round, finding, *candidate)
        .impact.push_back(
            {{0, context.header.size}, "", "nothing, or an error", "the data that the table maps"});
    return;
  }
  // Where a table is there and merely maps nothing, it stays.
  if (candidates.empty() && !context.l1_usable) start_anew(round, finding);
}

// The field that says where the L1 table of the disk state is.
std::uint64_t pointer_to_l1(const SnapshotRecord* record) {
  return record ? record->entry_offset + offsetof(RawSnapshotHead, l1_table_offset)
                : offsetof(RawHeader, l1_table_offset);
}

std::vector<Candidate> candidates_for(const Round& round, const std::string& owner) {
  const SnapshotRecord* record = round.snapshot_of(owner);
  if (!record && !owner.empty()) return {};
  return record ? snapshot_l1_candidates(round, *record) : l1_candidates(round);
}

void name_other_l1(Round& round, const Finding& finding, const std::string& owner,
                   const Candidate& candidate) {
  const SnapshotRecord* record = round.snapshot_of(owner);
  const std::uint64_t disk_bytes = round.context.header.size;
  apply_candidate(round, finding, candidate)
      .impact.push_back({{0, record ? record->snapshot.disk_size(disk_bytes) : disk_bytes},
                         owner,
                         "an error, or another structure's content",
                         "the data that the table maps"});
}

// Where what an L1 table leads to makes no sense, the table itself may be the wrong one: another structure's
// place, or a part of the disk's own tables.
void question_l1_table(Round& round, const Finding& finding) {
  const std::string& owner = finding.place.owner;
  if (!round.questioned.insert(owner).second) return;
  std::vector<Candidate> candidates = candidates_for(round, owner);
  if (const Candidate* candidate = pick_perfect(round, candidates))
    name_other_l1(round, finding, owner, *candidate);
}

// What one disk state takes for its L1 table is an L2 table to another one. What it leads to is noise, then,
// and may hide the lost table.
void question_named_l1_table(Round& round, const Finding& finding) {
  const Structure named = finding.other ? finding.other->structure : Structure::none;
  if (named != Structure::l1_table && named != Structure::snapshot_l1_table) return;
  const std::string& owner = finding.other->owner;
  if (!round.questioned.insert("named as an L2 table: " + owner).second) return;
  const std::uint64_t pointer = pointer_to_l1(round.snapshot_of(owner));
  PatchedRound without(round, {Patch::number(pointer, std::uint64_t{0})});
  std::vector<Candidate> candidates = candidates_for(without.round(), owner);
  if (const Candidate* candidate = pick_perfect(round, candidates))
    name_other_l1(round, finding, owner, *candidate);
}

// Empty entries behind those that the disk needs mean nothing.
void shrink_l1_table(Round& round, const Finding& finding) {
  const Context& context = round.context;
  if (!context.l1_usable) return find_l1_table(round, finding);
  const auto entries =
      used_l1_entries(round, context.header.l1_table_offset, context.header.l1_size, context.header.size);
  if (entries && *entries <= kMostL1Entries) return say_length(round, finding, *entries);
  find_l1_table(round, finding);
}

constexpr RemedyRow kRows[] = {
    {rule("header/l1-implausible"), Stage::pointers, find_l1_table},
    {rule("header/l1-unaligned"), Stage::pointers, find_l1_table},
    {rule("header/l1-outside"), Stage::pointers, find_l1_table},
    {rule("header/l1-too-large"), Stage::pointers, shrink_l1_table},
    {rule("l1/reserved-bits"), Stage::pointers, question_l1_table},
    {rule("l1/unaligned"), Stage::pointers, question_l1_table},
    {rule("l1/outside"), Stage::pointers, question_l1_table},
    {rule("l1/not-l2"), Stage::pointers, question_l1_table},
    {rule("l1/not-l2"), Stage::pointers, question_named_l1_table},
    {rule("l1/shared"), Stage::pointers, question_l1_table},
    {rule("l2/reserved-bits"), Stage::pointers, question_l1_table},
    {rule("l2/unaligned"), Stage::pointers, question_l1_table},
    {rule("l2/outside"), Stage::pointers, question_l1_table},
};

}  // namespace

std::span<const RemedyRow> l1_remedies() {
  return kRows;
}

}  // namespace cowvet
