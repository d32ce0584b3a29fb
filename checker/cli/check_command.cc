// cowvet check: examines images one after the other and says what is wrong with each.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "checker/analysis/check_shared_data_files.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/open_images.h"
#include "checker/cli/plan_options.h"
#include "checker/cli/progress_display.h"
#include "checker/planning/plan_file.h"
#include "checker/report/json_report.h"
#include "checker/report/text_report.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Examines qcow2 images without changing them. The exit status is that of the worst image:\n"
    "  0   sound\n"
    "  1   something could not be examined, or the command line is wrong\n"
    "  2   corrupt\n"
    "  3   wasted space only\n"
    "  63  not a qcow2 image\n";

struct CheckOptions {
  ImageOptions image;
  Options analysis;
  Judging judging;
  bool json = false;
  bool quiet = false;
  bool progress = false;
  std::string plan_file;  // --plan; empty: none is made
  PlanOptions planning;
};

// One image of the command line, until it is printed.
struct Examined {
  std::string path;
  std::string error;  // it could not be opened: there is no report
  Report report;
  std::optional<FileIdentity> image;
  std::optional<FileIdentity> data_file;
};

// Numbers are parsed from text: Boost takes -1 for a large unsigned number.
struct NumberTexts {
  std::string limit = "20";
  std::string threads = "0";
  std::string max_memory = "0";
};

std::expected<void, std::string> set_numbers(CheckOptions& options, const NumberTexts& texts) {
  constexpr std::uint64_t kMostThreads = 1024;
  const auto limit = parse_number("limit", texts.limit);
  const auto threads = parse_number("threads", texts.threads);
  const auto max_memory = parse_size("max-memory", texts.max_memory);
  if (!limit) return std::unexpected(limit.error());
  if (!threads) return std::unexpected(threads.error());
  if (!max_memory) return std::unexpected(max_memory.error());
  if (*threads > kMostThreads)
    return std::unexpected(fmt::format("--threads takes at most {}, not {}", kMostThreads, *threads));
  options.analysis.findings_per_rule = *limit;
  options.analysis.threads = static_cast<unsigned>(*threads);
  options.analysis.max_memory_bytes = *max_memory;
  return {};
}

// Makes a plan for what was found and writes it. Empty, or what went wrong.
std::string write_plan_file(const Inputs& inputs, const CheckOptions& options, Progress& progress) {
  const auto plan = make_plan(inputs, options.planning, &progress);
  if (!plan) return fmt::format("no plan can be made for {}: {}", inputs.image.name(), plan.error());
  // Never over anything that is there: it might be the image.
  std::ofstream out(options.plan_file, std::ios::noreplace);
  if (!out) return fmt::format("the plan cannot be written to {}: it must be a new file", options.plan_file);
  write_plan(*plan, out);
  out.close();
  return out ? "" : fmt::format("the plan could not be written to {} in full", options.plan_file);
}

Examined examine(const std::string& path, const CheckOptions& options) {
  Examined examined{.path = path};
  auto opened = open_image(path, options.image);
  if (!opened) {
    examined.error = opened.error();
    return examined;
  }
  examined.image = opened->image->identity();
  Inputs inputs = opened->inputs();
  inputs.open_data_file = [&, open = std::move(inputs.open_data_file)](const std::string& name) {
    Companion companion = open(name);
    examined.data_file = companion.device ? companion.device->identity() : companion.identity;
    return companion;
  };
  Progress progress;
  const ProgressDisplay display(progress, path, options.progress);
  examined.report = analyze(inputs, options.analysis, &progress);
  if (!options.plan_file.empty()) examined.error = write_plan_file(inputs, options, progress);
  // Not an option to be passed over: the user takes the data for examined.
  if (!options.image.data_file.empty() && examined.report.header_usable &&
      !examined.report.header.has_data_file())
    examined.error = fmt::format("{} has no external data file, so that --data-file has no use", path);
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
  Output(const CheckOptions& options, std::size_t images) : options_(options), several_(images > 1) {}

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
    for (Examined& examined : waiting_)
      files.push_back({&examined.report, examined.image, examined.data_file});
    check_shared_data_files(files);
    for (const Examined& examined : waiting_) print(examined);
    return status_;
  }

 private:
  void print(const Examined& examined) {
    const bool failed = !examined.error.empty();
    const int status = failed ? kExitIncomplete : exit_status_of(examined.report, options_.judging);
    status_ = worse_exit_status(status_, status);
    if (options_.quiet || (failed && !options_.json)) return;
    if (!print_out(options_.json ? json(examined) : text(examined))) status_ = kExitIncomplete;
  }

  std::string json(const Examined& examined) const {
    const JsonLayout layout = several_ ? JsonLayout::line : JsonLayout::document;
    return examined.error.empty() ? json_report(examined.report, options_.judging, layout)
                                  : json_failure(examined.path, examined.error, layout);
  }

  std::string text(const Examined& examined) {
    const TextOptions how{.judging = options_.judging,
                          .findings_per_rule = options_.analysis.findings_per_rule,
                          .colour = colour_wanted()};
    return fmt::format("{}{}", std::exchange(first_, false) ? "" : "\n", text_report(examined.report, how));
  }

  const CheckOptions& options_;
  const bool several_;
  std::vector<Examined> waiting_;
  bool first_ = true;
  int status_ = kExitSound;
};

}  // namespace

int run_check(const Arguments& arguments) {
  CheckOptions options;
  NumberTexts texts;
  std::string output = "human";
  std::vector<std::string> images;
  PlanTexts plan_texts;

  po::options_description listed("Options");
  add_image_options(listed, options.image);
  listed.add_options()  //
      ("output", po::value(&output)->value_name("FORMAT"),
       "human (default), or json: a document, or for several images a line each")  //
      ("limit", po::value(&texts.limit)->value_name("N"),
       "findings listed for each rule (default 20, 0: all); counts are always exact")                  //
      ("quiet,q", po::bool_switch(&options.quiet), "print nothing but errors; the exit status tells")  //
      ("strict", po::bool_switch(&options.judging.strict),
       "notices are errors too (status 2), and a data file that was not followed is incomplete (status 1)")  //
      ("deep", po::bool_switch(&options.analysis.deep),
       "also decode every compressed cluster and read bitmap data and key material")      //
      ("no-data", po::bool_switch(), "do not read the content of an external data file")  //
      ("threads", po::value(&texts.threads)->value_name("N"),
       "threads to use (default: one for each processor)")  //
      ("max-memory", po::value(&texts.max_memory)->value_name("SIZE"),
       "memory for counting references, such as 512M (default: as much as the image needs)")  //
      ("progress,p", po::bool_switch(&options.progress),
       "show progress at once, and where standard error is no terminal")  //
      ("plan", po::value(&options.plan_file)->value_name("FILE"),
       "write a plan to the new FILE that repairs what is found; nothing is repaired")  //
      ("help,h", "show this help");
  add_plan_options(listed, plan_texts);
  po::options_description all;
  all.add(listed).add_options()("image", po::value(&images));

  const auto values = parse_arguments(arguments, all, "image");
  if (!values) return usage_error(values.error(), "check");
  if (values->contains("help")) return print_help("check", kHelp, listed);
  if (const auto set = set_numbers(options, texts); !set) return usage_error(set.error(), "check");
  if (output != "human" && output != "json")
    return usage_error(fmt::format("--output takes human or json, not '{}'", output), "check");
  if (images.empty()) return usage_error("no image given", "check");
  if (const std::string wrong = check_image_options(options.image, images.size()); !wrong.empty())
    return usage_error(wrong, "check");
  if (!options.plan_file.empty() && images.size() > 1) return usage_error("--plan is for one image", "check");
  if (options.plan_file.empty() && (plan_texts.leaks_only || !plan_texts.allow.empty() ||
                                    !plan_texts.choose.empty() || !plan_texts.only.empty()))
    return usage_error("--allow, --choose, --only and --leaks-only go with --plan", "check");
  const auto planning = read_plan_options(plan_texts);
  if (!planning) return usage_error(planning.error(), "check");
  options.planning = *planning;
  options.planning.deep = options.analysis.deep;
  options.planning.threads = options.analysis.threads;
  options.json = output == "json";
  options.analysis.guest_data = !(*values)["no-data"].as<bool>();
  options.judging.must_be_qcow2 = !options.image.format.empty();

  reserve_progress_signal();
  Output out(options, images.size());
  for (const std::string& path : images) out.add(examine(path, options));
  return out.finish();
}

}  // namespace cowvet
