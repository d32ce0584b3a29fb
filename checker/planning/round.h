// One round of planning: the checker has run on the image as the plan has made it so far, and remedies are
// applied to what it found.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/planning/allocator.h"
#include "checker/planning/editor.h"
#include "checker/planning/lost_counts.h"
#include "checker/planning/planner.h"

namespace cowvet {

// What the rounds of a plan tell one another.
struct RoundNotes {
  std::set<std::string> consent_needed;
  ClusterSet released;            // what remedies gave up on purpose: no lost guest data
  ClusterSet held;                // what was counted for what it may hold: it stays, as leaks
  std::set<RuleId> found_before;  // in the image as it is
  std::set<RuleId> found_so_far;  // there, and in all rounds up to this one
};

struct Round {
  Round(const Context& first, Context& ctx, Editor& edit, const PlanOptions& opt, RoundNotes& notes)
      : before(first),
        context(ctx),
        editor(edit),
        options(opt),
        allocator(ctx, edit, may_hold_what_a_repair_looks_for(notes.found_so_far) && !opt.allow_lossy),
        consent_needed(notes.consent_needed),
        released(notes.released),
        held(notes.held),
        found_before(notes.found_before),
        found_so_far(notes.found_so_far) {}

  const Context& before;  // the image as it is
  Context& context;
  Editor& editor;
  const PlanOptions& options;
  Allocator allocator;
  std::set<std::string>& consent_needed;
  ClusterSet& released;
  ClusterSet& held;
  const std::set<RuleId>& found_before;
  const std::set<RuleId>& found_so_far;
  std::span<const Finding> findings;  // all of this round; the context's report holds them
  // Those of one rule, by place: what remedies compare a finding with. There may be very many.
  std::vector<const Finding*> of_rule(RuleId rule) const;
  // The first snapshot with that Place::owner, or nullptr.
  const SnapshotRecord* snapshot_of(const std::string& owner) const;
  std::vector<const Finding*> lost_l2_tables() const;  // which nothing names
  std::set<RuleId> begun;                              // see is_first_of
  bool replaced_table = false;                         // the refcount table, in this round
  std::set<std::uint64_t> new_blocks;                  // refcount table indices that got one in this round
  std::set<std::uint64_t> wiped_sectors;               // offsets; of refcount blocks, looked at in this round
  bool rewrote_snapshots = false;    // the snapshot table, in this round: what was found of it is past
  bool rewrote_bitmaps = false;      // the same of the bitmap directory
  bool moved_l1 = false;             // the header names another L1 table since this round
  std::set<std::string> questioned;  // owners whose L1 table was, in this round
  bool moved_for_overlap = false;    // one of two structures in one place: the other stays
  bool settled_overlap = false;      // one in this round: others may look different now
  std::optional<ClusterSet> claimed_in_data_file;   // by entries with a wrong offset; if that was asked
  std::map<std::uint64_t, bool> noise_blocks;       // refcount blocks by index: see lost_counts.h
  std::map<RuleId, std::uint64_t> room_for_copies;  // bytes that those of all findings of a rule would take
  // Of L2 tables, by offset: see impact.h.
  std::map<std::uint64_t, std::vector<std::string>> owners_of_table;
  std::map<std::uint64_t, bool> doubtful_tables;  // see doubtful_tables.h
  bool counted_doubtful_tables = false;           // all of them are known

  // The clusters of a stretch of the image file, in bytes, hold nothing that is needed any more.
  void release(std::uint64_t offset, std::uint64_t length);
  // Whether this is the first time in this round that a remedy asks: those that settle all findings of a rule
  // at once do so once, however many there are.
  bool is_first_of(RuleId rule) { return begun.insert(rule).second; }
  // Whether a remedy of this class may be applied; where it may not, that is noted for the user.
  bool may(const Finding& finding, Remedy remedy);
  // A notice is no damage: what it is about is changed only where the user names it.
  bool is_asked_for(const Finding& finding) const;
  // The outcome chosen for a rule: the user's, or `by_default`.
  std::string chosen(RuleId rule, std::string_view by_default) const;
  // What the header names as the active L1 table may be something else: nothing is written there.
  bool doubts_l1_table() const;
  // Every reference in the image is understood: refcounts may be lowered.
  bool may_lower_refcounts() const;
};

// Changes the image so that the finding goes away, or does nothing.
using RemedyFunction = void (*)(Round&, const Finding&);

// Remedies are applied in the order of stages; the checker runs again between two of them. Nothing is changed
// in place before it is settled that no other structure, and no guest data, lies there: the first three.
enum class Stage : std::uint8_t {
  overlaps,
  pointers,
  copies,
  header,
  tables,
  entries,
  auxiliary,
  refcounts,
  copied,
  flags
};

struct RemedyRow {
  RuleId rule;
  Stage stage;
  RemedyFunction apply;
};

// The remedies of one group of rules, each in the file of its name.
std::span<const RemedyRow> overlap_remedies();
std::span<const RemedyRow> header_remedies();
std::span<const RemedyRow> l1_remedies();
std::span<const RemedyRow> extension_remedies();
std::span<const RemedyRow> snapshot_remedies();
std::span<const RemedyRow> bitmap_remedies();
std::span<const RemedyRow> mapping_remedies();
std::span<const RemedyRow> orphan_remedies();
std::span<const RemedyRow> refcount_table_remedies();
std::span<const RemedyRow> refcount_remedies();
std::span<const RemedyRow> data_file_remedies();

}  // namespace cowvet
