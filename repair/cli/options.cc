#include "repair/cli/options.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "checker/cli/command_line.h"
#include "checker/cli/plan_options.h"
#include "checker/device/nbd.h"

namespace cowvet {
namespace {

namespace po = boost::program_options;

constexpr std::string_view kHelp =
    "Repairs a qcow2 image: shows a plan that was rehearsed in memory, asks, and carries it out as a whole\n"
    "or not at all. A sound image is never changed. A journal beside the image (IMAGE.cowvet-journal) takes\n"
    "care of interruptions of every kind; in the end it becomes the undo file (IMAGE.cowvet-undo; older\n"
    "ones get a number: .1 is the one before, .2 the one before that). Where a repair keeps leaked clusters\n"
    "because they may hold lost data, a record beside the image (IMAGE.cowvet-kept) tells later repairs and\n"
    "'cowvet check' which these are; it should go wherever the image goes. A repair removes it where "
    "nothing\n"
    "is left of what it names, and no undo file could bring that back.\n\n"
    "The exit status is that of the image as it is left, as for 'cowvet check':\n"
    "  0   sound\n"
    "  1   something could not be examined or done, or the command line is wrong\n"
    "  2   corrupt\n"
    "  3   wasted space only\n"
    "  63  not a qcow2 image\n"
    "or says what became of the repair:\n"
    "  64  refused, nothing was changed: the image is in use, is not the one that the plan was made for, "
    "was\n"
    "      left by a repair that was interrupted; the plan is unfit, needs consent, or nobody gave it\n"
    "  65  taken back: the repair failed, was interrupted, or --rollback was given; the image has the bytes\n"
    "      that it had before the repair\n";

// What is not a flag is taken as text first.
struct Texts {
  PlanTexts plan;
  std::string threads = "0";
  std::string max_memory = "0";
  std::vector<std::string> outputs;
  bool undo = false;
  bool resume = false;
  bool roll_back = false;
  bool no_undo = false;

  bool has_plan_options() const {
    return plan.leaks_only || !plan.allow.empty() || !plan.choose.empty() || !plan.only.empty();
  }
};

void describe_actions(po::options_description& list, RepairOptions& options, Texts& texts) {
  list.add_options()("yes,y", po::bool_switch(&options.yes),
                     "do not ask; an unfinished repair is brought to the end that its journal says");
  list.add_options()("dry-run,n", po::bool_switch(&options.dry_run), "show the plan and change nothing");
  list.add_options()("plan", po::value(&options.plan_file)->value_name("FILE"),
                     "carry out the plan that 'cowvet check --plan FILE' wrote, if it still fits the image");
  list.add_options()(
      "output", po::value(&texts.outputs)->value_name("NEW|FORMAT"),
      "repair a copy, the new file NEW; the image is opened read-only. Or, if it is the word json "
      "or human: how to report, where json is the same as --json (a copy of that name is ./json)");
  list.add_options()("undo", po::bool_switch(&texts.undo),
                     "give the image back the bytes that it had before its last repair; once more: take "
                     "that back");
  list.add_options()("undo-file", po::value(&options.undo_file)->value_name("FILE"),
                     "with --undo: this file, such as IMAGE.cowvet-undo.1");
  list.add_options()("resume", po::bool_switch(&texts.resume), "finish a repair that was interrupted");
  list.add_options()("rollback", po::bool_switch(&texts.roll_back),
                     "take back a repair that was interrupted");
}

void describe_planning(po::options_description& list, RepairOptions& options, Texts& texts) {
  add_plan_options(list, texts.plan);
  list.add_options()("deep", po::bool_switch(&options.planning.deep),
                     "also decode every compressed cluster and read bitmap data and key material");
  add_naming_options(list, options.image);
  list.add_options()("journal", po::value(&options.journal)->value_name("PATH"),
                     "keep the journal at PATH and the undo file at PATH.undo, for block devices, or where "
                     "there is no room beside the image; --undo needs it again, and so do --resume and "
                     "--rollback where no file could be written beside the image that says where it is");
  list.add_options()("discard", po::bool_switch(&options.discard),
                     "after a repair that leaves the image sound, give the space of its free clusters back "
                     "to the file system; what lay in them is gone, so that this goes with --no-undo or "
                     "--output");
  list.add_options()("no-undo", po::bool_switch(&texts.no_undo),
                     "leave no undo file; a record of kept leaks is left all the same");
}

void describe_rest(po::options_description& list, RepairOptions& options, Texts& texts) {
  list.add_options()("json", po::bool_switch(&options.json),
                     "print what was found, done and left as JSON, once, at the end");
  list.add_options()("quiet,q", po::bool_switch(&options.quiet),
                     "print nothing but errors; the exit status tells");
  add_progress_options(list, options.progress);
  list.add_options()("threads", po::value(&texts.threads)->value_name("N"),
                     "threads to use (default: one for each processor)");
  list.add_options()("max-memory", po::value(&texts.max_memory)->value_name("SIZE"),
                     "memory for counting references, such as 512M (default: as much as the image needs)");
  list.add_options()("help,h", "show this help");
  list.add_options()("version", "show the version");
}

// What each --output means: a format that cowvet check knows by this name, or a copy. Empty, or what is
// wrong.
std::string apply_outputs(const Texts& texts, RepairOptions& options) {
  for (const std::string& output : texts.outputs) {
    if (output.empty()) return "--output needs the name of a new file, or a format";
    if (output == "json" || output == "human") {
      options.json = options.json || output == "json";
    } else if (output == "jsonl" || output == "junit" || output == "sarif") {
      return fmt::format("cowvet-repair reports as human or json; a copy of the name {0} is ./{0}", output);
    } else if (!options.output.empty()) {
      return "--output names one copy, not two";
    } else {
      options.output = output;
    }
  }
  return "";
}

// What does not go together; empty: everything does.
std::string find_conflict(const RepairOptions& options, const Texts& texts) {
  const bool is_recovery = texts.resume || texts.roll_back;
  const bool is_repair = !texts.undo && !is_recovery;
  const bool asks = is_repair && !options.yes && !options.dry_run;
  const struct {
    bool is_there;
    std::string_view message;
  } conflicts[] = {
      {texts.undo + texts.resume + texts.roll_back > 1, "one of --undo, --resume and --rollback at a time"},
      {!is_repair && options.dry_run, "--dry-run is about a plan, not about --undo, --resume or --rollback"},
      {!is_repair && (!options.plan_file.empty() || texts.has_plan_options() || options.planning.deep),
       "--undo, --resume and --rollback make no plan: options about planning have no use"},
      {!is_repair && !options.output.empty(), "--output is about a repair, not about taking one back"},
      {!texts.undo && !options.undo_file.empty(), "--undo-file goes with --undo"},
      {texts.roll_back && texts.no_undo, "--rollback leaves no undo file anyway"},
      {!options.plan_file.empty() && (texts.has_plan_options() || options.planning.deep),
       "the plan of --plan is settled: --allow, --choose, --only, --leaks-only and --deep are for making "
       "one"},
      {options.dry_run && options.yes, "--dry-run changes nothing, so that there is nothing to say --yes to"},
      {!options.output.empty() && !options.journal.empty(), "the copy of --output needs no --journal"},
      {!options.output.empty() && texts.no_undo,
       "with --output the image itself is the way back: no undo "
       "file is left"},
      {options.discard && !is_repair, "--discard goes with a repair"},
      {options.discard && !texts.no_undo && options.output.empty(),
       "what --discard does cannot be undone: it goes with --no-undo or --output"},
      {options.json && options.quiet, "--json prints and --quiet does not"},
      {options.json && asks, "--json does not ask: it needs --yes or --dry-run"},
      {options.quiet && asks, "--quiet shows nothing to ask about: it needs --yes or --dry-run"},
  };
  for (const auto& conflict : conflicts)
    if (conflict.is_there) return std::string(conflict.message);
  return "";
}

std::expected<void, std::string> apply(const Texts& texts, RepairOptions& options) {
  const auto threads = parse_threads(texts.threads);
  if (!threads) return std::unexpected(threads.error());
  const auto max_memory = parse_size("max-memory", texts.max_memory);
  if (!max_memory) return std::unexpected(max_memory.error());
  auto planning = read_plan_options(texts.plan);
  if (!planning) return std::unexpected(planning.error());
  planning->deep = options.planning.deep;
  planning->threads = *threads;
  planning->max_memory_bytes = *max_memory;
  options.planning = std::move(*planning);
  options.keep_undo = !texts.no_undo;
  if (texts.undo) options.action = Action::undo;
  if (texts.resume) options.action = Action::resume;
  if (texts.roll_back) options.action = Action::roll_back;
  return {};
}

}  // namespace

Options RepairOptions::analysis() const {
  return {.threads = planning.threads, .max_memory_bytes = planning.max_memory_bytes, .deep = planning.deep};
}

std::expected<RepairOptions, int> parse_repair_options(const Arguments& arguments) {
  RepairOptions options;
  Texts texts;
  std::vector<std::string> images;
  po::options_description listed;
  describe_actions(listed, options, texts);
  describe_planning(listed, options, texts);
  describe_rest(listed, options, texts);
  po::options_description all;
  all.add(listed).add_options()("image", po::value(&images));

  const auto wrong = [](std::string_view message) { return std::unexpected(usage_error(message)); };
  const auto values = parse_arguments(arguments, all, "image");
  if (!values) return wrong(values.error());
  if (values->contains("help"))
    return std::unexpected(print_usage("cowvet-repair [OPTION]... IMAGE", kHelp, listed));
  if (values->contains("version"))
    return std::unexpected(print_out("cowvet-repair " COWVET_VERSION "\n") ? 0 : kExitIncomplete);
  if (const std::string message = apply_outputs(texts, options); !message.empty()) return wrong(message);
  if (const std::string conflict = find_conflict(options, texts); !conflict.empty()) return wrong(conflict);
  if (const auto applied = apply(texts, options); !applied) return wrong(applied.error());
  if (images.size() != 1) return wrong(images.empty() ? "no image given" : "one image at a time");
  if (const auto message = check_image_options(options.image, 1); !message.empty()) return wrong(message);
  if (is_nbd_address(images.front()))
    return wrong("images on servers are examined, not repaired: repair a copy of it");
  options.image_path = images.front();
  options.planning.data_file_name =
      name_for_header(options.output.empty() ? options.image_path : options.output, options.image.data_file);
  return options;
}

}  // namespace cowvet
