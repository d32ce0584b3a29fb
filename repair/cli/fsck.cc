#include "repair/cli/fsck.h"

#include <fmt/format.h>

#include "checker/cli/command_line.h"
#include "checker/cli/progress_display.h"
#include "repair/cli/outcome_report.h"
#include "repair/cli/run_repair.h"
#include "repair/cli/stop_signals.h"

namespace cowvet {
namespace {

constexpr std::string_view kHelp =
    "Usage: fsck.qcow2 [-a|-p|-y|-n] [-f] [-v] [-C FD] IMAGE\n\n"
    "Checks and repairs a qcow2 image with the options and the exit status of fsck(8). What it does is\n"
    "what cowvet-repair does. 'fsck -t qcow2' wants a path that begins with '/': any other word is an\n"
    "option to fsck(8), which then looks at nothing and ends with 0.\n\n"
    "Options:\n"
    "  -a, -p, -y  repair without asking: only what loses nothing, or has a default\n"
    "  -n          repair nothing\n"
    "  -f, -v, -r  accepted: it always checks, says what it does, and asks\n"
    "  -C FD       write progress to the descriptor FD, as e2fsck does; on a terminal it is shown anyway\n"
    "  -h, --help  show this help\n"
    "  -V          show the version\n\n"
    "The exit status is the sum of: 1 errors were corrected, 4 errors are left, 8 something went wrong,\n"
    "16 the command line is wrong.\n";

enum class Answer : std::uint8_t { ask, yes, no };

struct FsckOptions {
  Answer answer = Answer::ask;
  std::string image_path;
  int progress_descriptor = -1;
};

// 0 stands for a bar on the terminal, which is there anyway. A negative one would wait for a signal.
std::expected<void, std::string> set_progress(std::string_view text, FsckOptions& options) {
  if (text.empty()) return std::unexpected("-C needs a descriptor");
  if (text == "0" || text.starts_with('-')) return {};
  const auto descriptor = parse_progress_descriptor(text);
  if (!descriptor) return std::unexpected(descriptor.error());
  options.progress_descriptor = *descriptor;
  return {};
}

// fsck(8) hands on options of one letter, and joins none.
std::expected<FsckOptions, std::string> parse(const Arguments& arguments) {
  FsckOptions options;
  bool only_names = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (only_names || !word.starts_with('-')) {
      if (!options.image_path.empty()) return std::unexpected("one image at a time");
      options.image_path = word;
    } else if (word == "--") {
      only_names = true;
    } else if (word == "-a" || word == "-p" || word == "-y") {
      options.answer = options.answer == Answer::no ? Answer::no : Answer::yes;
    } else if (word == "-n") {
      options.answer = Answer::no;
    } else if (word.starts_with("-C")) {
      const bool is_next = word.size() == 2 && i + 1 < arguments.size();
      const auto set = set_progress(is_next ? arguments[++i] : word.substr(2), options);
      if (!set) return std::unexpected(set.error());
    } else if (word != "-f" && word != "-v" && word != "-r") {
      return std::unexpected(fmt::format("there is no option '{}'", word));
    }
  }
  if (options.image_path.empty()) return std::unexpected("no image given");
  return options;
}

// What was found, where nothing was changed; what is left, where something was.
int status_of_report(const std::optional<Report>& report) {
  if (!report) return kFsckFailed;
  switch (exit_status_of(*report, {.must_be_qcow2 = true})) {
    case kExitSound:
      return kFsckSound;
    case kExitIncomplete:
      return kFsckFailed;
    default:
      return kFsckUncorrected;
  }
}

}  // namespace

bool is_fsck_name(std::string_view program) {
  return program.substr(program.rfind('/') + 1).starts_with("fsck.");
}

int fsck_status_of(const Outcome& outcome) {
  switch (outcome.ending) {
    case Ending::nothing_to_do:
    case Ending::planned:
      return status_of_report(outcome.found);
    case Ending::repaired:
    case Ending::undone:
      return kFsckCorrected | status_of_report(outcome.left);
    case Ending::refused:
      return kFsckFailed | (outcome.found ? status_of_report(outcome.found) : kFsckSound);
    case Ending::taken_back:
    case Ending::failed:
    case Ending::unfinished:
      return kFsckFailed | kFsckUncorrected;
  }
  return kFsckFailed;
}

int run_fsck(const Arguments& arguments) {
  if (arguments == Arguments{"-h"} || arguments == Arguments{"--help"})
    return print_out(kHelp) ? kFsckSound : kFsckFailed;
  if (arguments == Arguments{"-V"})
    return print_out("fsck.qcow2 of cowvet " COWVET_VERSION "\n") ? kFsckSound : kFsckFailed;
  const auto parsed = parse(arguments);
  if (!parsed) {
    print_error(fmt::format("{}; 'fsck.qcow2 --help' says more", parsed.error()));
    return kFsckUsage;
  }
  RepairOptions options;
  options.image_path = parsed->image_path;
  options.yes = parsed->answer == Answer::yes;
  options.dry_run = parsed->answer == Answer::no;
  options.progress.descriptor = parsed->progress_descriptor;
  reserve_progress_signal();
  ignore_write_signals();
  const Outcome outcome = repair(options);
  report_outcome(options, outcome);
  return fsck_status_of(outcome);
}

}  // namespace cowvet
