#include "repair/cli/make_decision.h"

#include <fmt/format.h>

#include <utility>

#include "checker/cli/command_line.h"
#include "checker/cli/input_file.h"
#include "checker/cli/progress_display.h"
#include "checker/planning/kept_record.h"
#include "checker/planning/plan_file.h"
#include "checker/planning/rehearsal.h"
#include "repair/cli/ask.h"
#include "repair/cli/plan_text.h"

namespace cowvet {
namespace {

bool end(Outcome& outcome, Ending ending, std::string message = "") {
  outcome.ending = ending;
  outcome.message = std::move(message);
  return false;
}

bool changes_nothing(const Plan& plan) {
  return plan.empty() && plan.image_bytes_after == plan.image.size_bytes;
}

// An option that names a data file must not be passed over: the user takes the file for examined.
bool names_needless_data_file(const RepairOptions& options, const Report& found) {
  return !options.image.data_file.empty() && found.header_usable && !found.header.has_data_file();
}

void show(const RepairOptions& options, const Outcome& outcome) {
  if (options.quiet || options.json) return;
  std::string text = verdict_sentence(*outcome.found, {}) + '\n';
  if (outcome.plan) text += plan_text(*outcome.plan);
  print_out(text);
}

bool judge(const RepairOptions& options, Outcome& outcome) {
  const Plan& plan = *outcome.plan;
  if (options.dry_run) return end(outcome, Ending::planned);
  if (!plan.unfit.empty()) return end(outcome, Ending::refused, "the plan is unfit: " + plan.unfit);
  if (!changes_nothing(plan)) return true;
  if (!plan.consent_needed.empty())
    return end(outcome, Ending::refused, "nothing can be repaired without your consent (see above)");
  if (outcome.found->worst == Severity::notice) return end(outcome, Ending::nothing_to_do);
  return end(outcome, Ending::nothing_to_do, "nothing of this can be repaired in place");
}

bool make_new_plan(const Inputs& inputs, const RepairOptions& options, Progress& progress, Outcome& outcome) {
  auto kept = load_kept(options.image_path, options.journal);
  if (!kept) return end(outcome, Ending::refused, kept.error());
  Options analysis = options.analysis();
  analysis.kept = *kept;
  PlanOptions planning = options.planning;
  planning.kept = *std::move(kept);
  auto plan = make_plan(inputs, planning, &progress, &outcome.found);
  if (!outcome.found) outcome.found = analyze(inputs, analysis, &progress);
  if (names_needless_data_file(options, *outcome.found))
    return end(
        outcome, Ending::failed,
        fmt::format("{} has no external data file, so that --data-file has no use", options.image_path));
  if (!plan && !outcome.found->header_usable) {
    outcome.message = "nothing can be repaired here: " + plan.error();
    return true;
  }
  if (!plan) return end(outcome, Ending::failed, "no plan can be made: " + plan.error());
  outcome.plan = std::move(*plan);
  return true;
}

bool read_and_rehearse(const Inputs& inputs, const RepairOptions& options, Progress& progress,
                       Outcome& outcome) {
  auto file = open_input(options.plan_file, "the plan");
  if (!file) return end(outcome, Ending::failed, file.error());
  auto plan = read_plan(*file);
  if (!plan)
    return end(outcome, Ending::failed, fmt::format("{} is no plan: {}", options.plan_file, plan.error()));
  Rehearsal rehearsal = rehearse(inputs, *plan, options.analysis(), progress);
  outcome.found = std::move(rehearsal.found);
  outcome.plan = std::move(*plan);
  return rehearsal.refusal.empty() || end(outcome, Ending::refused, std::move(rehearsal.refusal));
}

}  // namespace

bool make_or_read_plan(const Inputs& inputs, const RepairOptions& options, Outcome& outcome) {
  {
    Progress progress;
    const ProgressDisplay display(progress, options.image_path, options.progress);
    if (!(options.plan_file.empty() ? make_new_plan(inputs, options, progress, outcome)
                                    : read_and_rehearse(inputs, options, progress, outcome)))
      return false;
  }
  show(options, outcome);
  if (!outcome.plan) return end(outcome, Ending::nothing_to_do, std::move(outcome.message));
  return judge(options, outcome);
}

Outcome could_not_open(const OpenImageError& error) {
  return {error.in_use ? Ending::refused : Ending::failed, error.message};
}

bool get_consent(const RepairOptions& options, Outcome& outcome) {
  if (options.yes) return true;
  if (!has_terminal())
    return end(outcome, Ending::refused,
               "nobody can be asked, because this is no terminal: --yes carries the plan out unasked");
  const std::string answer = ask("Carry out this plan? [y/N] ");
  if (answer == "y" || answer == "Y" || answer == "yes") return true;
  return end(outcome, Ending::refused, "not carried out");
}

}  // namespace cowvet
