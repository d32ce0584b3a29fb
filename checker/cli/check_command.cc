// cowvet check: examines images one after the other and says what is wrong with each.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <expected>
#include <iterator>
#include <map>
#include <optional>
#include <ranges>
#include <utility>

#include "checker/cli/check_options.h"
#include "checker/cli/check_output.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/evidence_keeper.h"
#include "checker/cli/new_file.h"
#include "checker/cli/progress_display.h"
#include "checker/cli/time_limit.h"
#include "checker/device/journal_name.h"
#include "checker/planning/kept_record.h"
#include "checker/planning/plan_file.h"
#include "checker/planning/planner.h"
#include "checker/policy/judge_image.h"
#include "checker/report/plan_fix.h"
#include "checker/report/sarif_fix.h"

namespace cowvet {
namespace {

// What the images of one command line have in common.
struct Run {
  const CheckOptions& options;
  CheckOutput& out;
  std::optional<std::expected<NewFile, std::string>> plan_file;  // or why it could not be made
  bool in_sandbox = false;
  std::map<std::string, std::string> in_use;  // by path: who holds the image, while that could be seen
};

// Empty, or what went wrong.
std::string write_plan_file(const Plan& plan, std::expected<NewFile, std::string>& file) {
  if (!file) return file.error();
  write_plan(plan, file->stream());
  return file->keep();
}

// A report is written when the files are closed.
Plan fit_for_fix(Plan plan, const Inputs& inputs, const Report& report) {
  Companion data_file;
  if (plan.data_file) data_file = inputs.open_data_file(report.data_file_name);
  if (!hold_originals(plan, inputs.image, data_file.device.get(), kLargestFixBytes))
    plan.unfit = "what it copies cannot be read";
  return plan;
}

// `kept`: what former repairs kept.
void plan_repair(const Inputs& inputs, Run& run, const std::vector<KeptRun>& kept, Progress& progress,
                 const Report& report, Examined& examined) {
  const CheckOptions& options = run.options;
  if (!report.unfinished_journal.empty()) {
    if (!options.plan_file.empty())
      examined.error = fmt::format(
          "no plan is made for {} before the repair that was interrupted is finished or taken back",
          examined.path);
    if (options.fixes)
      examined.plan = Plan{.unfit = "a repair was interrupted, and has to be finished or taken back first"};
    return;
  }
  PlanOptions planning = options.planning;
  planning.kept = kept;
  planning.data_file_name = name_for_header(examined.path, options.image.data_file);
  auto plan = make_plan(inputs, planning, &progress);
  if (plan) {
    if (run.plan_file) examined.error = write_plan_file(*plan, *run.plan_file);
    if (options.fixes) examined.plan = fit_for_fix(*std::move(plan), inputs, report);
  } else if (options.plan_file.empty()) {  // a fix is there or is not
    examined.plan = Plan{.unfit = plan.error()};
  } else {  // the user asked for it
    examined.error = fmt::format("no plan can be made for {}: {}", inputs.image.name(), plan.error());
  }
}

void enter_sandbox_once(Run& run) {
  if (std::exchange(run.in_sandbox, true)) return;
  for (const std::string& image : run.options.images | std::views::drop(1))
    if (auto message = look_who_uses(image, run.options.image))
      run.in_use.emplace(image, *std::move(message));
  std::vector<std::string> directories;
  if (run.options.policy) {
    directories = run.options.policy->backing_directories;
    std::ranges::copy(run.options.policy->data_file_directories, std::back_inserter(directories));
  }
  enter_sandbox(run.options.images, run.options.image, directories);
  run.out.begin();
}

void judge_by_policy(Report& report, const Inputs& inputs, const CheckOptions& options,
                     EvidenceKeeper& keeper) {
  Judged judged{.image = inputs.image,
                .path = inputs.image.name(),
                .data_file_named_by_user = !options.image.data_file.empty(),
                .locks = options.image.locks()};
  if (options.image.evidence)
    judged.keep = [&keeper](File file, Companion companion) {
      return keeper.keep(file, std::move(companion));
    };
  judge_image(report, judged, *options.policy, options.analysis);
}

void examine_opened(OpenedImage opened, Run& run, Examined& examined) {
  const CheckOptions& options = run.options;
  examined.image = opened.image->identity();
  if (options.policy) {
    if (options.image.data_file.empty())
      opened.open_data_file = data_file_opener(*options.policy, examined.path, options.image.locks());
    opened.open_backing = backing_opener(*options.policy, examined.path, LockUse::none);
  }
  Progress progress;
  // The display is a thread, which takes longer to start than a small image to examine.
  std::optional<ProgressDisplay> display;
  const auto show = [&] { display.emplace(progress, examined.path, options.progress); };
  if (options.progress.forced || options.progress.descriptor >= 0 || isatty(STDERR_FILENO) == 1)
    show();
  else
    progress.when_long = show;
  EvidenceKeeper keeper(progress);
  if (options.image.evidence) keep_evidence(opened, examined.path, keeper);
  Inputs inputs = opened.inputs();
  inputs.open_data_file = [&](const std::string& name) {
    Companion companion = opened.open_data_file(name);
    examined.data_file = companion.device ? companion.device->identity() : companion.identity;
    return companion;
  };
  Options analysis = options.analysis;
  if (auto kept = load_kept(examined.path, options.image.journal)) {
    analysis.kept = *std::move(kept);
  } else {
    examined.error = kept.error();
  }
  Report report = analyze(inputs, analysis, &progress);
  if (options.policy) judge_by_policy(report, inputs, options, keeper);
  // Not an option to be passed over: the user takes the data for examined.
  if (!options.image.data_file.empty() && report.header_usable && !report.header.has_data_file()) {
    examined.error =
        fmt::format("{} has no external data file, so that --data-file has no use", examined.path);
    return;
  }
  report.unfinished_journal = find_unfinished_journal(examined.path, options.image.journal);
  // A plan that does not know what was kept would give it away.
  if (examined.error.empty() && (!options.plan_file.empty() || options.fixes))
    plan_repair(inputs, run, analysis.kept, progress, report, examined);
  keeper.close(report);
  examined.report = std::move(report);
}

Examined examine(const std::string& path, Run& run) {
  Examined examined{.path = path};
  auto opened = open_image(path, run.options.image);
  enter_sandbox_once(run);
  if (opened) {
    examine_opened(*std::move(opened), run, examined);
  } else {
    const auto known = run.in_use.find(path);
    examined.error =
        opened.error().in_use && known != run.in_use.end() ? known->second : opened.error().message;
  }
  return examined;
}

}  // namespace

int run_check(const Arguments& arguments) {
  const auto options = parse_check_options(arguments);
  if (!options) return options.error();
  reserve_progress_signal();
  TimeLimit limit(options->timeout);
  CheckOutput out(*options, limit);
  Run run{.options = *options, .out = out};
  if (!options->plan_file.empty()) run.plan_file = NewFile::make(options->plan_file, "the plan");
  for (const std::string& path : options->images) out.add(examine(path, run));
  return out.finish();
}

}  // namespace cowvet
