#include "checker/planning/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "checker/analysis/failed_reads.h"
#include "checker/analysis/passes.h"
#include "checker/device/read_fully.h"
#include "checker/planning/fixed_companion.h"
#include "checker/planning/guest_view.h"
#include "checker/planning/header_search.h"
#include "checker/planning/lost_counts.h"
#include "checker/planning/metadata_hash.h"
#include "checker/planning/rehearsal.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

// Each round settles a stage or uncovers what hid behind it; an image that needs more is not repaired.
constexpr int kMostRounds = 40;

constexpr bool is_about_leaks(RuleId rule_id) {
  return rule_id == rule("refcount/leak") || rule_id == rule("refcount/too-high");
}

Binding binding_of(const Device& device, std::uint64_t hash) {
  return {device.name(), device.size_bytes(), device.identity(), hash};
}

// As many findings of each rule as a report has where nothing else is asked for.
Report shorten(Report report) {
  std::uint64_t of_rule = 0;
  std::optional<RuleId> last;
  std::erase_if(report.findings, [&](const Finding& finding) {
    of_rule = last == finding.rule ? of_rule + 1 : 1;
    last = finding.rule;
    return of_rule > Options{}.findings_per_rule;
  });
  return report;
}

class Planner {
 public:
  Planner(const Inputs& inputs, const PlanOptions& options, Progress& progress, std::optional<Report>* found)
      : image_(File::image, inputs.image, failed_reads_),
        inputs_{image_, inputs.open_data_file, inputs.open_backing},
        options_(options),
        progress_(progress),
        found_(found),
        check_{.threads = options.threads,
               .max_memory_bytes = options.max_memory_bytes,
               .deep = options.deep,
               .name_copied = !options.only.empty(),
               .findings_per_rule = 0,
               .kept = options.kept} {}

  std::expected<Plan, std::string> make() {
    Context before(inputs_, check_, progress_);
    examine(before);
    if (found_ && (check_.name_copied || !before.copied_wrong)) *found_ = shorten(before.report);
    bind(before);
    // A sound image is not changed unasked, whatever could be tidied up in it.
    if (before.report.worst == Severity::notice && !before.copied_wrong &&
        before.findings.added(rule("header/dirty")) == 0 && !is_named(before)) {
      plan_.image_bytes_after = plan_.image.size_bytes;
      plan_.remaining = before.report.totals;
      return std::move(plan_);
    }
    const auto header = search_header(before, options_);
    if (!header) return std::unexpected(header.error());
    if (*header) return make_behind(before, **header);
    make_from(before, nullptr);
    return std::move(plan_);
  }

 private:
  // Once the header is right, what is seen first is what a repair must not make worse.
  Plan make_behind(const Context& before, const HeaderChange& change) {
    const PatchedImage seen(inputs_, change.candidate.patches);
    Context context(seen.inputs, check_, progress_);
    examine(context);
    note_found(context);
    plan_.data_file.reset();
    bind_data_file(context);
    if (!before.report.header_usable || compare_guest_views(before, context, {})) shown_anew(context);
    make_from(context, &change);
    return std::move(plan_);
  }
  // All that the header decides reads otherwise than with the wrong one.
  void shown_anew(const Context& context) {
    const auto add = [&](std::uint64_t disk_bytes, const std::string& owner) {
      shown_anew_.push_back(
          {{0, disk_bytes}, owner, "nothing, or what other clusters hold", "the data that the tables map"});
    };
    add(context.header.size, "");
    for (const SnapshotRecord& record : context.snapshots)
      add(record.snapshot.disk_size(context.header.size), record.owner());
  }
  // `before`: what the image looks like, with the header as `change` (may be nullptr) makes it.
  void make_from(const Context& before, const HeaderChange* change) {
    const Device* data_file =
        before.data_file.state == Companion::State::open ? before.data_file.device.get() : nullptr;
    Editor editor(inputs_.image, data_file, options_.most_held_bytes);
    // One that is found later, because the image needs one after all or has another name for it, is no file
    // that the plan could write to.
    const OpenCompanion companion =
        data_file ? FixedCompanion(before.data_file, editor.data_file()) : inputs_.open_data_file;
    const Inputs edited{editor.image(), companion, inputs_.open_backing};
    if (change) write_header(editor, *change);
    finish(before, run_rounds(before, edited, editor), edited, editor);
  }
  void write_header(Editor& editor, const HeaderChange& change) const {
    Step& step = editor.begin(change.rule, change.remedy, change.candidate.why);
    if (change.remedy == Remedy::choice) step.outcome = change.candidate.outcome;
    step.impact = shown_anew_;
    for (const Patch& patch : change.candidate.patches) editor.write(File::image, patch.offset, patch.bytes);
  }
  void examine(Context& context) const {
    context.keep_references = true;
    run_passes(context);
    Report report = finish_report(context);
    context.report = std::move(report);
  }
  void bind(const Context& before);
  void bind_data_file(const Context& context);
  void note_found(const Context& context);
  // Whether --only or --choose names something that was found.
  bool is_named(const Context& before) const {
    return std::ranges::any_of(before.report.totals, [this](const RuleTotal& total) {
      const std::string id(total.rule->id);
      return options_.only.contains(id) || options_.choices.contains(id);
    });
  }
  std::unique_ptr<Context> examine_again(const Inputs& edited, const ClusterSet& released) const;
  std::unique_ptr<Context> run_rounds(const Context& before, const Inputs& edited, Editor& editor);
  bool apply_first_stage(Round& round);
  bool is_wanted(const Finding& finding) const;
  void note_kept(const Context& after);
  void announce_overlaps(const Report& after);
  void finish(const Context& before, std::unique_ptr<Context> after, const Inputs& edited, Editor& editor);

  std::string find_recovered_read() const;

  FailedReads failed_reads_;  // of the image
  WatchedDevice image_;
  const Inputs inputs_;
  const PlanOptions& options_;
  Progress& progress_;
  std::optional<Report>* found_;
  Options check_;
  Plan plan_;
  RoundNotes notes_;
  std::vector<GuestImpact> shown_anew_;  // by a change of the header
};

void Planner::bind(const Context& before) {
  plan_.deep = options_.deep;
  plan_.image = binding_of(before.image, hash_metadata(before));
  note_found(before);
  bind_data_file(before);
}

void Planner::bind_data_file(const Context& context) {
  if (context.data_file.state != Companion::State::open) return;
  plan_.data_file = binding_of(*context.data_file.device, 0);
  plan_.data_file_bytes_after = plan_.data_file->size_bytes;
}

void Planner::note_found(const Context& context) {
  for (const RuleTotal& total : context.report.totals) notes_.found_before.insert(total.rule);
  if (context.copied_wrong && !check_.name_copied)
    notes_.found_before.insert({rule("l1/copied"), rule("l2/copied")});
  // Of a wrong header the rest says nothing about what a right one leads to; of none, what it named is lost.
  if (notes_.found_before.contains(rule("header/magic"))) notes_.found_so_far.insert(rule("header/magic"));
}

bool Planner::is_wanted(const Finding& finding) const {
  // What was not there before is what the repair itself brought about.
  if (!notes_.found_before.contains(finding.rule)) return true;
  if (options_.leaks_only) return is_about_leaks(finding.rule);
  return options_.only.empty() || options_.only.contains(std::string(finding.rule->id));
}

// In which of them remedies may do something in this round.
std::set<Stage> stages_of(const Round& round) {
  // As long as the L1 table is lost, guest data may lie wherever something else seems to be wrong.
  if (!round.context.l1_usable) return {Stage::pointers, Stage::header};
  // Whatever is written to one of two structures in one place is written to the other as well.
  if (round.context.findings.added(rule("overlap/metadata")) != 0) return {Stage::overlaps};
  std::set<Stage> stages{Stage::overlaps, Stage::pointers, Stage::copies,    Stage::header,
                         Stage::tables,   Stage::entries,  Stage::auxiliary, Stage::refcounts};
  // Entries are named last: as long as refcounts change, which COPIED bits are wrong changes as well.
  if (!round.context.copied_wrong || round.context.options.name_copied)
    stages.insert({Stage::copied, Stage::flags});
  return stages;
}

// Applies the remedies of the first stage in which any of them changes something.
bool Planner::apply_first_stage(Round& round) {
  std::vector<RemedyRow> rows;
  for (const auto& group : {overlap_remedies(), header_remedies(), l1_remedies(), extension_remedies(),
                            snapshot_remedies(), bitmap_remedies(), mapping_remedies(), orphan_remedies(),
                            data_file_remedies(), refcount_table_remedies(), refcount_remedies()})
    rows.insert(rows.end(), group.begin(), group.end());
  for (const Stage stage : stages_of(round)) {
    const std::uint64_t before = round.editor.changes();
    for (const Finding& finding : round.findings) {
      if (!is_wanted(finding)) continue;
      for (const RemedyRow& row : rows)
        if (row.rule == finding.rule && row.stage == stage) row.apply(round, finding);
    }
    if (round.editor.changes() != before) return true;
  }
  return false;
}

std::unique_ptr<Context> Planner::examine_again(const Inputs& edited, const ClusterSet& released) const {
  auto context = std::make_unique<Context>(edited, check_, progress_);
  context->released = released;
  examine(*context);
  return context;
}

// Until no remedy changes anything any more. The last examination, which found nothing more to do.
std::unique_ptr<Context> Planner::run_rounds(const Context& before, const Inputs& edited, Editor& editor) {
  for (int i = 0; i < kMostRounds; ++i) {
    std::unique_ptr<Context> context = examine_again(edited, notes_.released);
    for (const RuleTotal& total : context->report.totals) notes_.found_so_far.insert(total.rule);
    Round round(before, *context, editor, options_, notes_);
    round.findings = context->report.findings;
    if (apply_first_stage(round)) continue;
    if (!context->copied_wrong || check_.name_copied) return context;
    check_.name_copied = true;
  }
  plan_.unfit = fmt::format("the repair does not come to an end within {} rounds", kMostRounds);
  return nullptr;
}

// Leaks that the next plan must know again, because nothing in the image will tell them from waste.
void Planner::note_kept(const Context& after) {
  const unsigned bits = after.geometry.cluster_bits;
  const bool in_doubt = may_hold_lost_data(notes_.found_so_far);
  for (const Finding& finding : after.report.findings) {
    if (finding.rule != rule("refcount/leak")) continue;
    const std::uint64_t first = finding.place.offset >> bits;
    if (in_doubt) {
      add_kept_runs(after.image, first, finding.count, bits, plan_.kept);
      continue;
    }
    ClusterSet known;
    for (std::uint64_t cluster = first; cluster != first + finding.count; ++cluster)
      if (after.kept.contains(cluster)) known.add(cluster);
    known.for_each_run([&](std::uint64_t begin, std::uint64_t count) {
      add_kept_runs(after.image, begin, count, bits, plan_.kept);
    });
  }
}

// What could be read at one time and not at another was seen by some rounds and not by others.
std::string Planner::find_recovered_read() const {
  std::byte sector[kSectorBytes];
  for (const auto& [file, error] : failed_reads_.unreported()) {
    const std::uint64_t rest = kSectorBytes - error.offset % kSectorBytes;
    if (image_.read(error.offset, std::span(sector).first(rest)))
      return fmt::format("what is at {:#x} could be read at one time and not at another", error.offset);
  }
  return "";
}

// Where guest data still lies on metadata, the guest reads what a step writes there.
void Planner::announce_overlaps(const Report& after) {
  std::map<std::uint64_t, std::pair<std::uint64_t, Step*>> writes;  // offset to end and step
  for (Step& step : plan_.steps)
    for (const Write& write : step.writes)
      if (write.target == File::image)
        writes.emplace(write.offset, std::pair(write.offset + write.new_bytes.size(), &step));
  for (const Finding& finding : after.findings) {
    if (finding.rule != rule("l2/overlaps-metadata") || !finding.place.guest || !finding.other) continue;
    const auto behind = writes.lower_bound(finding.other->offset + finding.other->length);
    if (behind == writes.begin()) continue;
    const auto& [end, step] = std::prev(behind)->second;
    if (end > finding.other->offset)
      step->impact.push_back(
          {*finding.place.guest, finding.place.owner, "metadata", "the metadata as it is then"});
  }
}

// The rehearsal: what the checker finds now, when it knows no more than anybody who looks at the image.
void Planner::finish(const Context& before, std::unique_ptr<Context> after, const Inputs& edited,
                     Editor& editor) {
  plan_.steps = editor.take_steps();
  plan_.image_bytes_after = editor.image().size_bytes();
  if (editor.data_file()) plan_.data_file_bytes_after = editor.data_file()->size_bytes();
  plan_.consent_needed.assign(notes_.consent_needed.begin(), notes_.consent_needed.end());
  if (!after || !notes_.released.empty()) after = examine_again(edited, {});
  plan_.remaining = after->report.totals;
  if (!plan_.unfit.empty() || plan_.steps.empty()) return;
  note_kept(*after);
  announce_overlaps(after->report);
  plan_.unfit = find_harm(before, *after, notes_.found_before, plan_.steps);
  if (plan_.unfit.empty()) plan_.unfit = find_recovered_read();
}

}  // namespace

std::expected<Plan, std::string> make_plan(const Inputs& inputs, const PlanOptions& options,
                                           Progress* progress, std::optional<Report>* found) {
  Progress unseen;
  return Planner(inputs, options, progress ? *progress : unseen, found).make();
}

}  // namespace cowvet
