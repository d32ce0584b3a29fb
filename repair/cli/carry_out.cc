#include "repair/cli/carry_out.h"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "checker/cli/progress_display.h"
#include "checker/device/borrowed_device.h"
#include "checker/planning/rehearsal.h"
#include "repair/changes.h"
#include "repair/cli/discard_free.h"
#include "repair/cli/expectation.h"
#include "repair/cli/kept_files.h"
#include "repair/cli/stop_signals.h"
#include "repair/journal.h"
#include "repair/undo.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

Report check(const Workplace& place, const Device& image, bool deep, const std::vector<KeptRun>& kept) {
  Options options = place.options.analysis();
  options.kept = kept;
  options.deep = deep;
  Progress progress;
  const ProgressDisplay display(progress, place.options.image_path, place.options.progress);
  return analyze(place.files.inputs(image), options, &progress);
}

// The check in the middle of a transaction. What it finds is kept in `left`.
std::expected<void, std::string> check_against(const Workplace& place, const StopSignals& signals,
                                               const Device& image, const std::string& note,
                                               const std::vector<KeptRun>& kept,
                                               std::optional<Report>& left) {
  if (note.empty()) return {};  // of an undo, which leads to bytes that were there before
  const auto expectation = decode_expectation(note);
  if (!expectation) return std::unexpected("the journal was written by another version of cowvet-repair");
  const BorrowedDevice view(image, [&] { return signals.is_requested(); });
  Report report = check(place, view, expectation->deep, kept);
  if (signals.is_requested()) return std::unexpected("interrupted");
  if (const std::string wrong = find_difference(expectation->remaining, report.totals); !wrong.empty())
    return std::unexpected("the check after the repair does not find what the plan says: " + wrong);
  left = std::move(report);
  return {};
}

// What a transaction needs to be told while it runs; must outlive it.
class Supervision {
 public:
  // `kept`: the leaks that the repair keeps, to be named in what is left.
  explicit Supervision(const Workplace& place, std::vector<KeptRun> kept = {})
      : place_(place), kept_(std::move(kept)) {
    place_.files.set_stop(stop());
  }
  Supervision(const Supervision&) = delete;
  Supervision& operator=(const Supervision&) = delete;
  ~Supervision() { place_.files.set_stop({}); }

  TransactionOptions options() {
    return {.check =
                [this](const Device& image, const Device*, const std::string& note) {
                  return check_against(place_, signals_, image, note, kept_, left_);
                },
            .stop = stop(),
            .keep_undo = place_.options.keep_undo};
  }

  bool is_stopped() const { return signals_.is_requested(); }

  // An outcome whose ending, if all went well, is `when_done`.
  Outcome conclude(RepairResult result, Ending when_done, Ending when_unchanged) {
    place_.files.set_stop({});
    Outcome outcome{.ending = ending_of(result.state, when_done, when_unchanged),
                    .message = std::move(result.message)};
    if (result.state == State::done || result.state == State::rolled_back)
      outcome.left = left_ && result.state == State::done
                         ? std::move(left_)
                         : check(place_, place_.files.image(), place_.options.planning.deep, kept_);
    const std::string& undo_path = place_.storage.path_of(JournalName::undo);
    if (result.state == State::done && place_.options.keep_undo && std::filesystem::exists(undo_path))
      outcome.undo_file = undo_path;
    return outcome;
  }

 private:
  StopRequest stop() const {
    return [this] { return signals_.is_requested(); };
  }
  static Ending ending_of(State state, Ending when_done, Ending when_unchanged) {
    switch (state) {
      case State::done:
        return when_done;
      case State::rolled_back:
        return Ending::taken_back;
      case State::unchanged:
        return when_unchanged;
      case State::unfinished:
        return Ending::unfinished;
    }
    return Ending::unfinished;
  }

  const Workplace& place_;
  const std::vector<KeptRun> kept_;
  StopSignals signals_;
  std::optional<Report> left_;
};

// The journal knows which data file it is about, even where the image cannot say any more.
std::string open_data_file_of_journal(const Workplace& place, JournalName name) {
  const auto device = place.storage.open(name);
  if (!device || *device == nullptr) return "";  // for others to complain about
  const auto journal = read_journal(**device);
  if (!journal || !journal->changes.data_file) return "";
  const std::string& path = journal->changes.data_file->path;
  const Companion companion = place.files.open_data_file(path);
  if (!place.files.trouble().empty()) return place.files.trouble();
  if (companion.state == Companion::State::open) return "";
  return fmt::format("the data file {} is needed, and cannot be opened: {}; --data-file PATH names it", path,
                     companion.why);
}

void make_paths_absolute(Changes& changes) {
  changes.image.path = std::filesystem::absolute(changes.image.path);
  if (changes.data_file) changes.data_file->path = std::filesystem::absolute(changes.data_file->path);
}

// The repair is done, whatever becomes of this.
void discard_after(const Workplace& place, Outcome& outcome) {
  if (const auto bytes = discard_free_clusters(place))
    outcome.discarded_bytes = *bytes;
  else
    outcome.message = "free clusters are not discarded: " + bytes.error();
}

}  // namespace

Outcome carry_out(const Workplace& place, const Plan& plan) {
  const RepairFiles files = place.files.files();
  auto changes = make_changes(plan, files, encode_expectation({plan.deep, plan.remaining}));
  if (!changes) return {Ending::refused, changes.error()};
  make_paths_absolute(*changes);
  // Before anything is changed: nothing in the repaired image tells these clusters from waste.
  const auto kept = KeptFile::write(place.options, place.files.image().is_block_device(), plan.kept);
  if (!kept) return {Ending::refused, kept.error()};
  Supervision supervision(place, plan.kept);
  const TransactionOptions options = supervision.options();
  Transaction transaction(files, place.storage, options);
  RepairResult result = transaction.run(*changes);
  if (result.state == State::unchanged || result.state == State::rolled_back) kept->take_back();
  // Nothing was begun, most likely because the journal could not be written.
  if (result.state == State::unchanged && place.options.journal.empty() && !supervision.is_stopped())
    result.message += "; --journal PATH keeps the journal elsewhere";
  Outcome outcome = supervision.conclude(std::move(result), Ending::repaired, Ending::taken_back);
  if (place.options.discard && outcome.ending == Ending::repaired) discard_after(place, outcome);
  return outcome;
}

Outcome recover_image(const Workplace& place, Direction direction) {
  if (std::string why = open_data_file_of_journal(place, JournalName::journal); !why.empty())
    return {Ending::refused, std::move(why)};
  Supervision supervision(place);
  auto result = recover(place.files.files(), place.storage, supervision.options(), direction);
  if (!result) return {Ending::refused, "there is no unfinished repair"};
  if (result->state == State::unchanged && result->message.empty())
    return {Ending::taken_back, "it had not begun, and its journal was removed"};
  if (direction == Direction::back && result->state == State::done && result->message.empty())
    result->message = "the repair was complete before it was interrupted; --undo takes it back";
  return supervision.conclude(std::move(*result), Ending::repaired, Ending::refused);
}

Outcome undo_image(const Workplace& place) {
  if (std::string why = open_data_file_of_journal(place, JournalName::undo); !why.empty())
    return {Ending::refused, std::move(why)};
  Supervision supervision(place);
  return supervision.conclude(undo(place.files.files(), place.storage, supervision.options()), Ending::undone,
                              Ending::refused);
}

}  // namespace cowvet
