#include "checker/cli/check_options.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "checker/cli/command_line.h"

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

// What is not a flag is taken as text first: Boost takes -1 for a large unsigned number.
struct Texts {
  std::string output = "human";
  std::string limit = "20";
  std::string threads = "0";
  std::string max_memory = "0";
  std::string timeout = "0";
  std::string policy;
  bool no_data = false;
  PlanTexts plan;
};

po::options_description describe_options(CheckOptions& options, Texts& texts) {
  po::options_description list;
  add_image_options(list, options.image);
  add_evidence_option(list, options.image);
  list.add_options()(
      "output", po::value(&texts.output)->value_name("FORMAT"),
      "human (default); json: a document, or for several images a line each; jsonl: a line for each "
      "finding and each image; junit or sarif: one document for all images");
  list.add_options()("limit", po::value(&texts.limit)->value_name("N"),
                     "findings listed for each rule (default 20, 0: all); counts are always exact");
  list.add_options()("quiet,q", po::bool_switch(&options.quiet),
                     "print nothing but errors; the exit status tells");
  list.add_options()("strict", po::bool_switch(&options.judging.strict),
                     "notices are errors too (status 2), and a data file that was not followed is "
                     "incomplete (status 1)");
  list.add_options()("deep", po::bool_switch(&options.analysis.deep),
                     "also decode every compressed cluster and read bitmap data and key material");
  list.add_options()("no-data", po::bool_switch(&texts.no_data),
                     "do not read the content of an external data file");
  list.add_options()("threads", po::value(&texts.threads)->value_name("N"),
                     "threads to use (default: one for each processor)");
  list.add_options()("max-memory", po::value(&texts.max_memory)->value_name("SIZE"),
                     "memory for counting references, such as 512M (default: as much as the image needs)");
  add_journal_option(list, options.image);
  add_progress_options(list, options.progress);
  list.add_options()("policy", po::value(&texts.policy)->value_name("POLICY"),
                     "refuse (status 2) what may not be booted here: preboot, or a file that allows more "
                     "(see cowvet-policy(5)); "
                     "implies --format qcow2 and --deep, and files are followed only as it allows");
  list.add_options()("timeout", po::value(&texts.timeout)->value_name("SECONDS"),
                     "give up (status 1) when the whole run takes longer; fractions are allowed");
  list.add_options()("plan", po::value(&options.plan_file)->value_name("FILE"),
                     "write a plan to the new FILE that repairs what is found; nothing is repaired");
  list.add_options()(
      "fixes", po::bool_switch(&options.fixes),
      "with --output sarif: also plan the repair of each image, and give the plan as a fix, or a "
      "note why there is none");
  add_plan_options(list, texts.plan);
  list.add_options()("help,h", "show this help");
  return list;
}

std::expected<ReportFormat, std::string> parse_format(std::string_view text) {
  constexpr std::pair<std::string_view, ReportFormat> kFormats[] = {{"human", ReportFormat::human},
                                                                    {"json", ReportFormat::json},
                                                                    {"jsonl", ReportFormat::jsonl},
                                                                    {"junit", ReportFormat::junit},
                                                                    {"sarif", ReportFormat::sarif}};
  for (const auto& [name, format] : kFormats)
    if (name == text) return format;
  return std::unexpected(fmt::format("--output takes human, json, jsonl, junit or sarif, not '{}'", text));
}

// The options that say how to plan, which go with --plan or --fixes; called once the others are known.
std::expected<void, std::string> apply_planning(const PlanTexts& texts, CheckOptions& options) {
  const bool planning =
      texts.leaks_only || !texts.allow.empty() || !texts.choose.empty() || !texts.only.empty();
  if (planning && options.plan_file.empty() && !options.fixes)
    return std::unexpected("--allow, --choose, --only and --leaks-only go with --plan or --fixes");
  if (options.fixes && options.format != ReportFormat::sarif)
    return std::unexpected("--fixes goes with --output sarif");
  if (!options.plan_file.empty() && options.images.size() > 1)
    return std::unexpected("--plan is for one image");
  const auto plan = read_plan_options(texts);
  if (!plan) return std::unexpected(plan.error());
  options.planning = *plan;
  options.planning.deep = options.analysis.deep;
  options.planning.threads = options.analysis.threads;
  options.planning.max_memory_bytes = options.analysis.max_memory_bytes;
  return {};
}

std::expected<void, std::string> apply_policy(const Texts& texts, CheckOptions& options) {
  if (texts.policy.empty()) return {};
  if (!options.image.follow.empty())
    return std::unexpected("--follow does not go with --policy, which says itself what is followed");
  if (texts.no_data)
    return std::unexpected("--no-data does not go with --policy, which examines the data file, too");
  auto policy = load_policy(texts.policy);
  if (!policy) return std::unexpected(policy.error());
  options.policy = *std::move(policy);
  options.judging.must_be_qcow2 = true;
  options.analysis.deep = true;
  return {};
}

// Moves what the texts say into the options; the error is a message for people.
std::expected<void, std::string> apply(const Texts& texts, CheckOptions& options) {
  const auto format = parse_format(texts.output);
  if (!format) return std::unexpected(format.error());
  const auto limit = parse_number("limit", texts.limit);
  if (!limit) return std::unexpected(limit.error());
  const auto threads = parse_threads(texts.threads);
  if (!threads) return std::unexpected(threads.error());
  const auto max_memory = parse_size("max-memory", texts.max_memory);
  if (!max_memory) return std::unexpected(max_memory.error());
  const auto timeout = parse_seconds("timeout", texts.timeout);
  if (!timeout) return std::unexpected(timeout.error());

  options.format = *format;
  options.judging.must_be_qcow2 = !options.image.format.empty();
  options.analysis.guest_data = !texts.no_data;
  options.analysis.findings_per_rule = *limit;
  options.analysis.threads = *threads;
  options.analysis.max_memory_bytes = *max_memory;
  options.timeout = *timeout;
  return apply_policy(texts, options);
}

}  // namespace

std::expected<CheckOptions, int> parse_check_options(const Arguments& arguments) {
  CheckOptions options;
  Texts texts;
  const po::options_description listed = describe_options(options, texts);
  po::options_description all;
  all.add(listed).add_options()("image", po::value(&options.images));

  const auto wrong = [](std::string_view message) { return std::unexpected(usage_error(message, "check")); };
  const auto values = parse_arguments(arguments, all, "image");
  if (!values) return wrong(values.error());
  if (values->contains("help")) return std::unexpected(print_help("check", kHelp, listed));
  if (const auto applied = apply(texts, options); !applied) return wrong(applied.error());
  if (options.images.empty()) return wrong("no image given");
  if (const auto message = check_image_options(options.image, options.images.size()); !message.empty())
    return wrong(message);
  if (const auto applied = apply_planning(texts.plan, options); !applied) return wrong(applied.error());
  return options;
}

}  // namespace cowvet
