#include "repair/cli/unfinished.h"

#include <fmt/format.h>

#include <filesystem>
#include <system_error>

#include "checker/device/journal_name.h"
#include "repair/changes.h"
#include "repair/journal.h"

namespace cowvet {
namespace {

// There is one beside the image, or a file that says where it is.
std::string describe_missing(const std::string& image_path, const std::string& journal_path) {
  const std::string other = journal_elsewhere(image_path).value_or(journal_path_of(image_path));
  if (other != journal_path)
    return fmt::format("A repair of {} was interrupted, and its journal is {}, not {}.", image_path, other,
                       journal_path);
  return fmt::format(
      "A repair of {} was interrupted, and its journal {} is not there: --journal PATH says where it is now. "
      "Without it the image may be in between its old and its new state for good; remove {} to have what is "
      "there repaired.",
      image_path, journal_path, journal_path_of(image_path));
}

}  // namespace

DirectoryStorage make_storage(const RepairOptions& options, const std::string& image_path) {
  const std::string beside = journal_path_of(image_path);
  std::string elsewhere = options.journal;
  if (elsewhere.empty()) elsewhere = journal_elsewhere(image_path).value_or("");
  const std::string journal = elsewhere.empty() ? beside : elsewhere;
  std::string undo = elsewhere.empty() ? undo_path_of(image_path) : elsewhere + ".undo";
  if (!options.undo_file.empty()) undo = options.undo_file;
  // What an undo leaves says all that the file says from which it came.
  const bool is_undo = options.action == Action::undo;
  std::error_code unseen;
  const bool is_on_device = std::filesystem::is_block_file(image_path, unseen);
  return {journal, undo, is_undo ? DirectoryStorage::OlderUndo::replaced : DirectoryStorage::OlderUndo::kept,
          elsewhere.empty() || is_on_device ? "" : beside};
}

std::expected<Unfinished, std::string> find_unfinished(const JournalStorage& storage,
                                                       const std::string& image_path) {
  const std::string& path = storage.path_of(JournalName::journal);
  const auto device = storage.open(JournalName::journal);
  if (!device) return std::unexpected(describe_io_error("open", path, device.error()));
  if (*device == nullptr) {
    if (!has_unfinished_journal(image_path)) return Unfinished::nothing;
    return std::unexpected(describe_missing(image_path, path));
  }
  const auto journal = read_journal(**device);
  if (!journal) return std::unexpected(journal.error());
  return journal->stage == JournalStage::unsealed ? Unfinished::unbegun : Unfinished::begun;
}

std::optional<Outcome> refuse_unfinished(const RepairOptions& options) {
  const DirectoryStorage storage = make_storage(options, options.image_path);
  const auto unfinished = find_unfinished(storage, options.image_path);
  if (!unfinished) return Outcome{Ending::refused, unfinished.error()};
  if (*unfinished != Unfinished::begun) return std::nullopt;
  return Outcome{Ending::refused,
                 describe_unfinished(options.image_path, storage.path_of(JournalName::journal))};
}

std::string describe_unfinished(const std::string& image_path, const std::string& journal_path) {
  return fmt::format(
      "A repair of {} was interrupted: its journal {} is there. The image may be in between its old and its "
      "new state and must not be used. 'cowvet-repair --resume' finishes the repair, 'cowvet-repair "
      "--rollback' takes it back.",
      image_path, journal_path);
}

}  // namespace cowvet
