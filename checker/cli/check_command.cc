// cowvet check: examines images one after the other and says what is wrong with each.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "checker/analysis/check_shared_data_files.h"
#include "checker/cli/check_options.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/new_file.h"
#include "checker/cli/progress_display.h"
#include "checker/cli/time_limit.h"
#include "checker/device/journal_name.h"
#include "checker/planning/plan_file.h"
#include "checker/policy/judge_image.h"
#include "checker/report/report_writer.h"

namespace cowvet {
namespace {

// One image of the command line, until it is printed.
struct Examined {
  std::string path;
  std::optional<Report> report;
  std::optional<Plan> plan;
  std::string error;  // what could not be done; without a report, everything
  std::optional<FileIdentity> image;
  std::optional<FileIdentity> data_file;
};

// What the images of one command line have in common.
struct Run {
  const CheckOptions& options;
  std::optional<std::expected<NewFile, std::string>> plan_file;  // or why it could not be made
  bool in_sandbox = false;
};

// Empty, or what went wrong.
std::string write_plan_file(const Plan& plan, std::expected<NewFile, std::string>& file) {
  if (!file) return file.error();
  write_plan(plan, file->stream());
  return file->keep();
}

void plan_repair(const Inputs& inputs, Run& run, Progress& progress, Examined& examined) {
  const CheckOptions& options = run.options;
  if (has_unfinished_journal(examined.path)) {
    if (!options.plan_file.empty())
      examined.error = fmt::format(
          "no plan is made for {} before the repair that was interrupted is finished or taken back",
          examined.path);
    return;
  }
  auto plan = make_plan(inputs, options.planning, &progress);
  if (plan) {
    if (run.plan_file) examined.error = write_plan_file(*plan, *run.plan_file);
    if (options.fixes) examined.plan = *std::move(plan);
  } else if (!options.plan_file.empty()) {  // the user asked for it; a fix is there or is not
    examined.error = fmt::format("no plan can be made for {}: {}", inputs.image.name(), plan.error());
  }
}

void enter_sandbox_once(Run& run) {
  if (std::exchange(run.in_sandbox, true)) return;
  std::vector<std::string> directories;
  if (run.options.policy) {
    directories = run.options.policy->backing_directories;
    std::ranges::copy(run.options.policy->data_file_directories, std::back_inserter(directories));
  }
  enter_sandbox(run.options.images, run.options.image, directories);
}

void examine_opened(const OpenedImage& opened, Run& run, Examined& examined) {
  const CheckOptions& options = run.options;
  examined.image = opened.image->identity();
  Inputs inputs = opened.inputs();
  inputs.open_data_file = [&](const std::string& name) {
    const bool by_policy = options.policy && options.image.data_file.empty();
    Companion companion =
        by_policy ? data_file_opener(*options.policy, examined.path, options.image.force_share)(name)
                  : opened.open_data_file(name);
    examined.data_file = companion.device ? companion.device->identity() : companion.identity;
    return companion;
  };
  if (options.policy) inputs.open_backing = backing_opener(*options.policy, examined.path);
  Progress progress;
  const ProgressDisplay display(progress, examined.path, options.progress);
  Report report = analyze(inputs, options.analysis, &progress);
  const bool data_file_named = !options.image.data_file.empty();
  if (options.policy)
    judge_image(report, {*opened.image, examined.path, data_file_named}, *options.policy, options.analysis);
  // Not an option to be passed over: the user takes the data for examined.
  if (!options.image.data_file.empty() && report.header_usable && !report.header.has_data_file()) {
    examined.error =
        fmt::format("{} has no external data file, so that --data-file has no use", examined.path);
    return;
  }
  if (has_unfinished_journal(examined.path)) report.unfinished_journal = journal_path_of(examined.path);
  if (!options.plan_file.empty() || options.fixes) plan_repair(inputs, run, progress, examined);
  examined.report = std::move(report);
}

Examined examine(const std::string& path, Run& run) {
  Examined examined{.path = path};
  if (const auto opened = open_image(path, run.options.image)) {
    enter_sandbox_once(run);
    examine_opened(*opened, run, examined);
  } else {
    examined.error = opened.error().message;
  }
  return examined;
}

bool colour_wanted() {
  // NOLINTBEGIN(concurrency-mt-unsafe): nothing in this program changes the environment.
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  // NOLINTEND(concurrency-mt-unsafe)
  const bool forbidden = no_colour != nullptr && *no_colour != '\0';
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  return isatty(STDOUT_FILENO) == 1 && !forbidden && !dumb;
}

// Prints images in the order of the command line. An image with a data file waits until all are examined,
// because a later one may turn out to use the same file.
class Output {
 public:
  explicit Output(const CheckOptions& options)
      : options_(options),
        writer_(make_report_writer({.format = options.format,
                                    .several = options.images.size() > 1,
                                    .text = {.judging = options.judging,
                                             .findings_per_rule = options.analysis.findings_per_rule,
                                             .colour = colour_wanted()}})) {
    write(writer_->begin());
  }

  void add(Examined examined) {
    if (!examined.error.empty()) print_error(examined.error);
    if (waiting_.empty() && !examined.data_file) {
      print(examined);
    } else {
      waiting_.push_back(std::move(examined));
    }
  }

  // The exit status of all.
  int finish() {
    std::vector<FilesOf> files;
    files.reserve(waiting_.size());
    for (Examined& examined : waiting_)
      if (examined.report) files.push_back({&*examined.report, examined.image, examined.data_file});
    check_shared_data_files(files);
    for (const Examined& examined : waiting_) print(examined);
    write(writer_->end());
    return status_;
  }

 private:
  void print(const Examined& examined) {
    if (examined.report) count(exit_status_of(*examined.report, options_.judging));
    if (!examined.error.empty()) count(kExitIncomplete);
    write(examined.report ? writer_->image(*examined.report, examined.plan ? &*examined.plan : nullptr)
                          : writer_->failure(examined.path, examined.error));
  }

  void write(const std::string& text) {
    if (!options_.quiet && !text.empty() && !print_out(text)) count(kExitIncomplete);
  }

  void count(int status) { status_ = worse_exit_status(status_, status); }

  const CheckOptions& options_;
  const std::unique_ptr<ReportWriter> writer_;
  std::vector<Examined> waiting_;
  int status_ = kExitSound;
};

}  // namespace

int run_check(const Arguments& arguments) {
  const auto options = parse_check_options(arguments);
  if (!options) return options.error();
  limit_time(options->timeout_seconds);
  reserve_progress_signal();
  Run run{.options = *options};
  if (!options->plan_file.empty()) run.plan_file = NewFile::make(options->plan_file, "the plan");
  Output out(*options);
  for (const std::string& path : options->images) out.add(examine(path, run));
  return out.finish();
}

}  // namespace cowvet
