// Two metadata structures in one place. Whose place is it? Mostly one pointer is wrong, and what it should
// name is still in the file: then it is found by trying. Otherwise the structure whose content does not fit
// there gives way. Where both fit (two of a kind), each gets the content as its own: nobody reads anything
// else than before, though one of them reads what belongs to the other.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "checker/analysis/references.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/planning/bitmap_directory.h"
#include "checker/planning/lost_tables.h"
#include "checker/planning/snapshot_table.h"
#include "checker/planning/table_candidates.h"

namespace cowvet {
namespace {

const SnapshotRecord* snapshot_of(const Round& round, const Place& place) {
  return place.structure == Structure::snapshot_l1_table ? round.snapshot_of(place.owner) : nullptr;
}

const BitmapRecord* bitmap_of(const Round& round, const Place& place) {
  if (place.structure != Structure::bitmap_table && place.structure != Structure::bitmap_data) return nullptr;
  const auto record = std::ranges::find(round.context.bitmaps, place.owner, &BitmapRecord::owner);
  return record == round.context.bitmaps.end() ? nullptr : &*record;
}

// Where else the structure may be.
std::vector<Candidate> elsewhere(const Round& round, const Place& place) {
  switch (place.structure) {
    case Structure::l1_table:
      return l1_candidates(round);
    case Structure::snapshot_l1_table:
      if (const SnapshotRecord* record = snapshot_of(round, place))
        return snapshot_l1_candidates(round, *record);
      return {};
    case Structure::snapshot_table:
      return snapshot_table_candidates(round);
    case Structure::bitmap_directory:
      return bitmap_directory_candidates(round);
    case Structure::bitmap_table:
      if (const BitmapRecord* record = bitmap_of(round, place))
        return bitmap_table_candidates(round, *record);
      return {};
    case Structure::luks_header:
      return luks_candidates(round);
    default:
      return {};
  }
}

bool holds_bitmap_table(const Round& round, const Place& place) {
  std::vector<std::byte> table(place.length);
  if (!round.context.image.read(place.offset, table)) return false;
  bool any = false;
  for (std::uint64_t at = 0; at + 8 <= table.size(); at += 8) {
    const BitmapTableEntry entry{load_big_endian<std::uint64_t>(table.data() + at)};
    const std::uint64_t data = entry.host_offset();
    if (entry.reserved() != 0 || !round.context.aligned(data) || !round.context.clusters_in_file(data, 1))
      return false;
    any = any || entry.raw != 0;
  }
  return any;
}

// Whether what lies there is what the structure is made of.
bool fits(const Round& round, const Place& place) {
  const Context& context = round.context;
  switch (place.structure) {
    case Structure::header:
      return true;
    case Structure::l1_table:
    case Structure::snapshot_l1_table:
      return holds_l1_table(round, place.offset, place.length / 8);
    case Structure::snapshot_table:
      return !context.snapshots.empty() && std::ranges::any_of(context.snapshots, [&](const auto& record) {
        return record.l1_usable && !record.snapshot.id.empty();
      });
    case Structure::bitmap_directory:
      return measure_directory(round, place.offset, place.offset + place.length, context.bitmap_count)
                 .count == context.bitmap_count;
    case Structure::bitmap_table:
      return holds_bitmap_table(round, place);
    case Structure::luks_header:
      return context.findings.added(rule("luks/header")) == 0;
    default:
      return false;
  }
}

// Gives the structure up, with consent. False: it is none that may be given up.
bool give_up(Round& round, const Finding& finding, const Place& place) {
  const SnapshotRecord* snapshot = snapshot_of(round, place);
  const BitmapRecord* bitmap = bitmap_of(round, place);
  const bool whole_table = place.structure == Structure::snapshot_table;
  const bool directory = place.structure == Structure::bitmap_directory;
  if (!snapshot && !bitmap && !whole_table && !directory) return false;
  if (!round.may(finding, Remedy::metadata)) return true;
  if (snapshot || whole_table) {
    const std::uint64_t entry = snapshot ? snapshot->entry_offset : 0;
    drop_snapshots(round, finding,
                   whole_table
                       ? std::string("give up all snapshots: their table is not where the header says")
                       : fmt::format("give up {}: its L1 table cannot be found", snapshot->owner()),
                   [&](const SnapshotRecord& record) { return whole_table || record.entry_offset == entry; });
  } else if (bitmap) {
    const std::uint64_t entry = bitmap->entry_offset;
    drop_bitmaps(round, finding, fmt::format("give up {}: its table cannot be found", bitmap->owner()),
                 [&](const BitmapRecord& record) { return record.entry_offset == entry; });
  } else {
    drop_bitmaps_extension(round, finding, "give up all bitmaps: their directory cannot be found");
  }
  return true;
}

// The field that names the structure, where a copy of it can be named instead.
std::optional<std::uint64_t> pointer_to(const Round& round, const Place& place) {
  if (const SnapshotRecord* record = snapshot_of(round, place))
    return record->entry_offset + offsetof(RawSnapshotHead, l1_table_offset);
  if (const BitmapRecord* record = bitmap_of(round, place);
      record && place.structure == Structure::bitmap_table)
    return record->entry_offset + offsetof(RawBitmapHead, bitmap_table_offset);
  return std::nullopt;
}

bool make_private_copy(Round& round, const Finding& finding, const Place& place) {
  const auto pointer = pointer_to(round, place);
  if (!pointer) return false;
  const Geometry& geometry = round.context.geometry;
  const std::uint64_t clusters = divide_up(place.length, geometry.cluster_bytes);
  std::vector<std::byte> content(clusters << geometry.cluster_bits);
  if (!round.editor.image().read(place.offset, std::span(content).first(place.length))) return false;
  const auto to = round.allocator.allocate(clusters);
  if (!to) return false;
  round.editor.begin(
      finding.rule, Remedy::choice,
      fmt::format("copy the {} at {:#x} to {:#x}", to_string(place.structure), place.offset, *to),
      Phase::structures);
  round.editor.write(File::image, *to, content);
  round.editor
      .begin(finding.rule, Remedy::choice,
             fmt::format("name the copy for {}: what it held before is not known, it reads as it did last",
                         place.owner))
      .outcome = "copy";
  round.editor.write_number(File::image, *pointer, *to);
  return true;
}

// Both fit. A bitmap that may be another's is worse than none; a disk state that may be another's is not.
void separate(Round& round, const Finding& finding) {
  const bool bitmaps = finding.place.structure == Structure::bitmap_table &&
                       finding.other->structure == Structure::bitmap_table;
  const std::string outcome = round.chosen(finding.rule, bitmaps ? "drop" : "copy");
  if (outcome == "drop") {
    if (!give_up(round, finding, finding.place)) give_up(round, finding, *finding.other);
    return;
  }
  if (outcome == "copy" &&
      (make_private_copy(round, finding, finding.place) || make_private_copy(round, finding, *finding.other)))
    return;
  round.consent_needed.insert("overlap/metadata: needs --choose overlap/metadata=copy or =drop");
}

// A disk whose L1 table is another one from now on.
void add_impact(const Round& round, const Place& place, Step& step) {
  const SnapshotRecord* snapshot = snapshot_of(round, place);
  if (!snapshot && place.structure != Structure::l1_table) return;
  const std::uint64_t disk_bytes = round.context.header.size;
  step.impact.push_back({{0, snapshot ? snapshot->snapshot.disk_size(disk_bytes) : disk_bytes},
                         place.owner,
                         "another structure's content, or another disk state",
                         "the data that its table maps"});
}

// Which of two bitmaps owns the table that both name may not be known: a bitmap that is another's is worse
// than none.
bool give_both_bitmaps_up(Round& round, const Finding& finding) {
  const BitmapRecord* one = bitmap_of(round, finding.place);
  const BitmapRecord* other = bitmap_of(round, *finding.other);
  if (!one || !other || round.chosen(finding.rule, "") != "drop") return false;
  if (!round.may(finding, Remedy::metadata)) return true;
  const std::set<std::uint64_t> entries{one->entry_offset, other->entry_offset};
  drop_bitmaps(round, finding, fmt::format("give up {} and {}", one->owner(), other->owner()),
               [&](const BitmapRecord& record) { return entries.contains(record.entry_offset); });
  return true;
}

void settle_overlap(Round& round, const Finding& finding) {
  if (!finding.other || std::exchange(round.settled_overlap, true)) return;
  if (give_both_bitmaps_up(round, finding)) return;
  const Place& claimant = finding.place;
  const Place& owner = *finding.other;
  // By the words of the finding: the claimant is at its place, the owner is the other party.
  std::vector<Candidate> candidates = elsewhere(round, claimant);
  for (Candidate& candidate : elsewhere(round, owner)) {
    candidate.outcome = "other:" + candidate.outcome;
    candidates.push_back(std::move(candidate));
  }
  // The refcount table follows from everything else: unless it is certainly the other that is wrong, the
  // table is made anew (refcount_remedies.cc).
  const bool on_refcount_table =
      claimant.structure == Structure::refcount_table || owner.structure == Structure::refcount_table;
  const std::string chosen = round.chosen(finding.rule, "");
  const bool is_settled = chosen == "copy" || chosen == "drop";
  const Candidate* candidate =
      on_refcount_table || is_settled ? pick_perfect(round, candidates) : pick(round, finding, candidates);
  if (candidate) {
    round.moved_for_overlap = true;
    Step& step = apply_candidate(round, finding, *candidate);
    for (const Place* place : {&claimant, &owner}) add_impact(round, *place, step);
    return;
  }
  if ((!candidates.empty() && !is_settled) || on_refcount_table) return;
  const bool claimant_fits = fits(round, claimant);
  const bool owner_fits = fits(round, owner);
  if (claimant_fits && owner_fits) return separate(round, finding);
  const Place& first = owner_fits ? claimant : owner;
  const Place& second = owner_fits ? owner : claimant;
  if (!give_up(round, finding, first) && !claimant_fits && !owner_fits) give_up(round, finding, second);
}

constexpr RemedyRow kRows[] = {{rule("overlap/metadata"), Stage::overlaps, settle_overlap}};

}  // namespace

std::span<const RemedyRow> overlap_remedies() {
  return kRows;
}

}  // namespace cowvet
