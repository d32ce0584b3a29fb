#include "repair/cli/unfinished.h"

#include <fmt/format.h>

#include "checker/device/journal_name.h"
#include "repair/changes.h"
#include "repair/journal.h"

namespace cowvet {

DirectoryStorage make_storage(const RepairOptions& options, const std::string& image_path) {
  const bool is_beside = options.journal.empty();
  const std::string journal = is_beside ? journal_path_of(image_path) : options.journal;
  std::string undo = is_beside ? undo_path_of(image_path) : options.journal + ".undo";
  if (!options.undo_file.empty()) undo = options.undo_file;
  // What an undo leaves says all that the file says from which it came.
  const bool is_undo = options.action == Action::undo;
  return {journal, undo, is_undo ? DirectoryStorage::OlderUndo::replaced : DirectoryStorage::OlderUndo::kept};
}

std::expected<Unfinished, std::string> find_unfinished(const JournalStorage& storage) {
  const std::string& path = storage.path_of(JournalName::journal);
  const auto device = storage.open(JournalName::journal);
  if (!device) return std::unexpected(describe_io_error("open", path, device.error()));
  if (*device == nullptr) return Unfinished::nothing;
  const auto journal = read_journal(**device);
  if (!journal) return std::unexpected(journal.error());
  return journal->stage == JournalStage::unsealed ? Unfinished::unbegun : Unfinished::begun;
}

std::optional<Outcome> refuse_unfinished(const RepairOptions& options) {
  const DirectoryStorage storage = make_storage(options, options.image_path);
  const auto unfinished = find_unfinished(storage);
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
