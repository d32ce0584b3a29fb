#include "repair/undo.h"

#include <fmt/format.h>

#include <utility>

#include "repair/judge_state.h"

namespace cowvet {
namespace {

RepairResult refuse(std::string message) {
  return {RepairResult::State::unchanged, std::move(message)};
}

}  // namespace

RepairResult undo(const RepairFiles& files, JournalStorage& storage, const TransactionOptions& options) {
  const std::string& path = storage.path_of(JournalName::undo);
  const auto device = storage.open(JournalName::undo);
  if (!device) return refuse(describe_io_error("open", path, device.error()));
  if (*device == nullptr) return refuse(fmt::format("there is no {}: nothing can be undone", path));
  auto journal = read_journal(**device);
  if (!journal) return refuse(journal.error());
  if (journal->stage != JournalStage::committed || journal->has_tail)
    return refuse(fmt::format("{} is damaged or incomplete", path));
  if (journal->changes.data_file && files.data_file == nullptr)
    return refuse("the data file is needed: " + journal->changes.data_file->path);
  const auto state = judge_state(journal->changes, files);
  if (!state) return refuse(state.error());
  if (!state->is_new)
    return refuse(
        fmt::format("{} was written to since its repair: undoing that would harm it", files.image.name()));
  return Transaction(files, storage, options).run(reverse(std::move(journal->changes)));
}

}  // namespace cowvet
