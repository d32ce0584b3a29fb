// cowvet triage: sorts thousands of images by what is wrong with them.
#include <fmt/format.h>

#include <boost/program_options.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "checker/analysis/parallel.h"
#include "checker/cli/command_line.h"
#include "checker/cli/commands.h"
#include "checker/cli/open_images.h"
#include "checker/report/verdict.h"
#include "checker/triage/distill.h"
#include "checker/triage/examine_image.h"
#include "checker/triage/groups.h"
#include "checker/triage/image_source.h"
#include "checker/triage/merge.h"
#include "checker/triage/triage_report.h"
#include "checker/triage/worker_pool.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Sorts thousands of images by what is wrong with them: images that break the same rules in the same\n"
    "kinds of structures are one group. Directories are walked, without following links. Each image has\n"
    "its own limits of time and memory; one that makes a worker crash is reported and ends nothing else. "
    "What\n"
    "a repair left beside an image counts as it does for 'cowvet check': the record of what it kept, and "
    "the\n"
    "journal of one that was interrupted.\n"
    "The exit status is that of the worst image, the worst first:\n"
    "  1   an image could not be examined, crashed a worker, or reached a limit; or images were not looked\n"
    "      at, a shard is missing, an image was not distilled, or the command line is wrong\n"
    "  2   corrupt\n"
    "  63  not a qcow2 image\n"
    "  3   wasted space only\n"
    "  0   all are sound\n";

enum class Output : std::uint8_t { human, json, jsonl };

struct TriageOptions {
  std::vector<std::string> paths;  // images and directories; with `merge`, files of JSON lines
  PoolOptions pool;
  ExamineOptions examine;
  Shard shard;
  Output output = Output::human;
  std::string distill;  // directory; empty: none
  ImageOptions rights;  // about the sandbox only
  bool merge = false;
};

// What is not a flag is taken as text first.
struct Texts {
  std::string jobs = "0";
  std::string timeout = "10";
  std::string max_memory = "1G";
  std::string shard;
  std::string output = "human";
};

po::options_description describe_options(TriageOptions& options, Texts& texts) {
  po::options_description list;
  list.add_options()("jobs,j", po::value(&texts.jobs)->value_name("N"),
                     "worker processes (default: one for each processor that cowvet may run on)");
  list.add_options()("timeout", po::value(&texts.timeout)->value_name("SECONDS"),
                     "for one image (default 10); fractions are allowed");
  list.add_options()("max-memory", po::value(&texts.max_memory)->value_name("SIZE"),
                     "for one image, such as 512M (default 1G)");
  list.add_options()(
      "output", po::value(&texts.output)->value_name("FORMAT"),
      "human (default): a table; json: the same as a document; jsonl: a line for each image as "
      "it is examined, then one for each group, which --merge can join");
  list.add_options()("distill", po::value(&options.distill)->value_name("DIRECTORY"),
                     "copy the smallest image of each group into a new directory; files that images name, or "
                     "that a repair left beside them, are not copied");
  list.add_options()("shard", po::value(&texts.shard)->value_name("K/N"),
                     "look only at the K-th of N parts, which go by the names of the images");
  list.add_options()("merge", po::bool_switch(&options.merge),
                     "examine nothing: join the JSON lines that other runs wrote into the files");
  list.add_options()("deep", po::bool_switch(&options.examine.deep),
                     "also decode every compressed cluster and read bitmap data and key material");
  list.add_options()("force-share,U", po::bool_switch(&options.examine.force_share),
                     "read images that are in use, too");
  add_sandbox_options(list, options.rights);
  list.add_options()("help,h", "show this help");
  return list;
}

std::expected<unsigned, std::string> parse_jobs(std::string_view text) {
  constexpr std::uint64_t kMost = 1024;
  const auto number = parse_number("jobs", text);
  if (!number) return std::unexpected(number.error());
  if (*number > kMost) return std::unexpected(fmt::format("--jobs takes at most {}, not {}", kMost, *number));
  return *number != 0 ? static_cast<unsigned>(*number) : available_processors();
}

std::expected<Output, std::string> parse_output(std::string_view text) {
  if (text == "human") return Output::human;
  if (text == "json") return Output::json;
  if (text == "jsonl") return Output::jsonl;
  return std::unexpected(fmt::format("--output takes human, json or jsonl, not '{}'", text));
}

std::expected<void, std::string> apply(const Texts& texts, TriageOptions& options) {
  const auto jobs = parse_jobs(texts.jobs);
  if (!jobs) return std::unexpected(jobs.error());
  const auto timeout = parse_seconds("timeout", texts.timeout);
  if (!timeout) return std::unexpected(timeout.error());
  if (timeout->count() == 0) return std::unexpected("--timeout takes more than 0 seconds");
  const auto max_memory = parse_size("max-memory", texts.max_memory);
  if (!max_memory) return std::unexpected(max_memory.error());
  const auto output = parse_output(texts.output);
  if (!output) return std::unexpected(output.error());
  if (!texts.shard.empty()) {
    const auto shard = parse_shard(texts.shard);
    if (!shard) return std::unexpected(fmt::format("--shard takes K/N, such as 2/16, not '{}'", texts.shard));
    options.shard = *shard;
  }
  options.pool = {.jobs = *jobs, .timeout = *timeout, .max_memory_bytes = *max_memory};
  // What the reference sets of a large image may take; the rest needs memory as well.
  options.examine.reference_memory_bytes = *max_memory / 2;
  options.output = *output;
  return {};
}

// The error is an exit status.
std::expected<TriageOptions, int> parse_triage_options(const Arguments& arguments) {
  TriageOptions options;
  Texts texts;
  const po::options_description listed = describe_options(options, texts);
  po::options_description all;
  all.add(listed).add_options()("path", po::value(&options.paths));

  const auto wrong = [](std::string_view message) { return std::unexpected(usage_error(message, "triage")); };
  const auto values = parse_arguments(arguments, all, "path");
  if (!values) return wrong(values.error());
  if (values->contains("help")) return std::unexpected(print_help("triage", kHelp, listed));
  if (const auto applied = apply(texts, options); !applied) return wrong(applied.error());
  if (options.paths.empty()) return wrong(options.merge ? "no file given" : "no image or directory given");
  if (options.merge && !texts.shard.empty()) return wrong("--merge joins shards and examines none");
  if (options.merge && options.output == Output::jsonl)
    return wrong("--merge joins JSON lines: --output takes human or json");
  return options;
}

class Triage {
 public:
  explicit Triage(const TriageOptions& options) : options_(options) {}

  int run() {
    if (!options_.distill.empty())
      if (const std::string wrong = prepare_directory(options_.distill); !wrong.empty()) {
        print_error(wrong);
        return kExitIncomplete;
      }
    if (options_.merge) {
      for (const std::string& wrong : merge_lines(options_.paths, groups_)) complain(wrong);
    } else {
      examine();
    }
    print_groups();
    if (!options_.distill.empty())
      for (const std::string& wrong : distill(groups_, options_.distill)) complain(wrong);
    return complete_ ? groups_.exit_status() : kExitIncomplete;
  }

 private:
  void examine() {
    CorpusWalk walk(options_.paths, options_.shard, [&](const std::string& wrong) { complain(wrong); });
    const auto examined =
        examine_all([&] { return walk.next(); },
                    [&, in_sandbox = false](const std::string& path) mutable {
                      if (!std::exchange(in_sandbox, true))  // of the worker: this one starts others
                        enter_sandbox(options_.paths, options_.rights, options_.paths);
                      return examine_image(path, options_.examine);
                    },
                    options_.pool, [&](const ImageResult& result) { take(result); });
    if (!examined) complain(examined.error());
  }

  void take(const ImageResult& result) {
    groups_.add(result);
    if (options_.output != Output::jsonl) return;
    static constexpr std::size_t kEnough = 1 << 14;
    lines_ += result_line(result);
    if (lines_.size() >= kEnough) print_lines();
  }

  void print_lines() {
    if (!print_out(lines_)) complete_ = false;
    lines_.clear();
  }

  void print_groups() {
    switch (options_.output) {
      case Output::human:
        lines_ += triage_table(groups_);
        break;
      case Output::json:
        lines_ += triage_json(groups_, complete_);
        break;
      case Output::jsonl:
        lines_ += closing_lines(groups_, options_.shard, complete_);
        break;
    }
    print_lines();
  }

  void complain(const std::string& wrong) {
    print_error(wrong);
    complete_ = false;
  }

  const TriageOptions& options_;
  Groups groups_;
  std::string lines_;     // to be printed
  bool complete_ = true;  // everything asked for was done
};

}  // namespace

int run_triage(const Arguments& arguments) {
  const auto options = parse_triage_options(arguments);
  return options ? Triage(*options).run() : options.error();
}

}  // namespace cowvet
