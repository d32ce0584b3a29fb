#include "repair/cli/outcome_report.h"

#include <fmt/format.h>

#include "checker/cli/command_line.h"
#include "checker/report/escape.h"
#include "checker/report/numbers.h"
#include "checker/report/wrap.h"

namespace cowvet {
namespace {

Judging judging_of(const RepairOptions& options) {
  return {.must_be_qcow2 = !options.image.format.empty()};
}

// What happened, before what it came to.
std::string ending_text(const RepairOptions& options, const Outcome& outcome) {
  const std::string name = escape_for_terminal(outcome.output.empty() ? options.image_path : outcome.output);
  switch (outcome.ending) {
    case Ending::repaired:
      return options.action == Action::resume ? fmt::format("The repair of {} was finished.\n", name)
                                              : fmt::format("{} was repaired.\n", name);
    case Ending::undone:
      return fmt::format("{} has the bytes again that it had before the repair.\n", name);
    case Ending::taken_back:
      return fmt::format("{} has the bytes that it had before the repair.\n", name);
    case Ending::planned:
      return "Nothing was changed.\n";
    case Ending::nothing_to_do:
      return options.output.empty() ? ""
                                    : fmt::format("{} was not made, because nothing is to be repaired.\n",
                                                  escape_for_terminal(options.output));
    default:
      return "";
  }
}

std::string way_back_text(const RepairOptions& options, const Outcome& outcome) {
  if (outcome.undo_file.empty()) return "";
  const auto with = [](std::string_view option, const std::string& value) {
    return value.empty() ? "" : fmt::format("{} {} ", option, escape_for_terminal(value));
  };
  return fmt::format("To take that back: cowvet-repair --undo {}{}{}{}\n", with("--journal", options.journal),
                     with("--undo-file", options.undo_file), with("--data-file", options.image.data_file),
                     escape_for_terminal(options.image_path));
}

// Where the exit status alone would leave the reader wondering.
std::string error_text(const Outcome& outcome) {
  switch (outcome.ending) {
    case Ending::refused:
      return "refused, nothing was changed: " + outcome.message;
    case Ending::taken_back:
      return outcome.message.empty() ? "" : "not repaired, the image is as it was: " + outcome.message;
    case Ending::unfinished:
      return fmt::format(
          "THE REPAIR IS NOT FINISHED, and the image must not be used: {}. Once the cause is removed, "
          "'cowvet-repair --resume' finishes the repair, and 'cowvet-repair --rollback' takes it back",
          outcome.message);
    default:
      return outcome.message;
  }
}

}  // namespace

std::string outcome_text(const RepairOptions& options, const Outcome& outcome) {
  std::string text = ending_text(options, outcome);
  if (outcome.left) text += verdict_sentence(*outcome.left, judging_of(options)) + '\n';
  if (outcome.discarded_bytes)
    text += fmt::format("The space of its free clusters ({}) was given back.\n",
                        human_bytes(*outcome.discarded_bytes));
  return text + way_back_text(options, outcome);
}

int report_outcome(const RepairOptions& options, const Outcome& outcome) {
  const int status = exit_status_of(outcome, judging_of(options));
  if (const std::string error = error_text(outcome); !error.empty())
    print_error(error.contains(options.image_path) ? error
                                                   : fmt::format("{}: {}", options.image_path, error));
  if (options.quiet) return status;
  const bool arrived =
      print_out(options.json ? outcome_json(options, outcome) : outcome_text(options, outcome));
  return arrived || status != kExitSound ? status : kExitIncomplete;
}

}  // namespace cowvet
