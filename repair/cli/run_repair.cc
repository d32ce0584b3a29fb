#include "repair/cli/run_repair.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "checker/cli/command_line.h"
#include "checker/cli/progress_display.h"
#include "repair/cli/ask.h"
#include "repair/cli/carry_out.h"
#include "repair/cli/files_for_repair.h"
#include "repair/cli/kept_files.h"
#include "repair/cli/make_decision.h"
#include "repair/cli/outcome_report.h"
#include "repair/cli/repair_copy.h"
#include "repair/cli/stop_signals.h"
#include "repair/cli/unfinished.h"

namespace cowvet {
namespace {

Outcome refuse(std::string message) {
  return {Ending::refused, std::move(message)};
}

// A device file is lost with the memory that it lies in, and a journal beside it as well.
bool lacks_journal_place(const Workplace& place) {
  return place.files.image().is_block_device() && place.options.journal.empty();
}

Outcome lacking_journal_place() {
  return refuse(
      "a block device has no room for a journal beside it: --journal PATH names a file that outlives a "
      "restart of the machine");
}

// Nothing: the user leaves it as it is.
std::optional<Direction> ask_for_direction() {
  const std::string answer = ask("Finish it (f), take it back (b), or leave it as it is (anything else)? ");
  if (answer == "f") return Direction::forward;
  if (answer == "b") return Direction::back;
  return std::nullopt;
}

// What to do about a journal that was found though nobody spoke of one. Nothing: there is none any more.
std::optional<Outcome> settle_unfinished(const Workplace& place) {
  const auto unfinished = find_unfinished(place.storage, place.options.image_path);
  if (!unfinished) return refuse(unfinished.error());
  if (*unfinished == Unfinished::nothing) return std::nullopt;
  if (*unfinished == Unfinished::unbegun) {
    recover(place.files.files(), place.storage, {});  // removes it
    return std::nullopt;
  }
  if (place.options.yes) return recover_image(place, Direction::as_recorded);
  std::string what =
      describe_unfinished(place.options.image_path, place.storage.path_of(JournalName::journal));
  if (!has_terminal()) return refuse(std::move(what));
  print_out(what + '\n');
  const auto direction = ask_for_direction();
  return direction ? recover_image(place, *direction) : refuse("left as it is");
}

// The journal becomes the undo file by being renamed.
bool lie_together(const JournalStorage& storage) {
  const auto directory = [&](JournalName name) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(std::filesystem::absolute(storage.path_of(name)).parent_path(),
                                             ignored);
  };
  return directory(JournalName::journal) == directory(JournalName::undo);
}

Outcome repair_in_place(const Workplace& place) {
  if (auto settled = settle_unfinished(place)) return std::move(*settled);
  Outcome outcome;
  const bool goes_on = make_or_read_plan(place.files.inputs(), place.options, outcome);
  if (!place.files.trouble().empty()) {
    outcome.ending = Ending::refused;
    outcome.message = place.files.trouble();
    return outcome;
  }
  if (!goes_on) return outcome;
  if (lacks_journal_place(place)) return lacking_journal_place();
  if (!get_consent(place.options, outcome)) return outcome;
  Outcome done = carry_out(place, *outcome.plan);
  done.found = std::move(outcome.found);
  done.plan = std::move(outcome.plan);
  return done;
}

// Reads only, and so goes where nothing may be written.
Outcome plan_only(const RepairOptions& options) {
  const auto opened = open_image(options.image_path, options.image);
  if (!opened) return could_not_open(opened.error());
  if (auto refused = refuse_unfinished(options)) return std::move(*refused);
  Outcome outcome;
  make_or_read_plan(opened->inputs(), options, outcome);
  return outcome;
}

Outcome write(const RepairOptions& options) {
  auto files = FilesForRepair::open(options.image_path, options.image);
  if (!files) return std::move(files.error());
  DirectoryStorage storage = make_storage(options, options.image_path);
  const Workplace place{options, **files, storage};
  if (options.action == Action::repair) return repair_in_place(place);
  if (lacks_journal_place(place)) return lacking_journal_place();
  if (options.action != Action::undo) {
    const auto unfinished = find_unfinished(storage, options.image_path);
    if (!unfinished) return refuse(unfinished.error());
  }
  if (options.action == Action::resume) return recover_image(place, Direction::forward);
  if (options.action == Action::roll_back) return recover_image(place, Direction::back);
  if (auto refused = refuse_unfinished(options)) return std::move(*refused);
  if (!lie_together(storage))
    return refuse(fmt::format("an undo file must lie in the directory of the journal, {}",
                              storage.path_of(JournalName::journal)));
  return undo_image(place);
}

}  // namespace

Outcome repair(const RepairOptions& options) {
  if (options.dry_run) return plan_only(options);
  if (!options.output.empty()) return repair_copy(options);
  Outcome outcome = write(options);
  if (options.action == Action::repair) drop_stale_records(options, outcome);
  return outcome;
}

int run_repair(const Arguments& arguments) {
  const auto options = parse_repair_options(arguments);
  if (!options) return options.error();
  reserve_progress_signal();
  ignore_write_signals();
  const Outcome outcome = repair(*options);
  return report_outcome(*options, outcome);
}

}  // namespace cowvet
