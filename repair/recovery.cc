#include "repair/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "repair/corrupt_mark.h"
#include "repair/judge_state.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

RepairResult refuse(std::string message) {
  return {State::unchanged, std::move(message)};
}

RepairResult discard(JournalStorage& storage) {
  auto removed = storage.remove();
  if (removed) removed = storage.sync_directory();
  if (removed) return refuse("");
  return refuse(describe_io_error("remove", storage.path_of(JournalName::journal), removed.error()));
}

std::string describe_foreign(const StateOnDisk& state, const RepairFiles& files) {
  return fmt::format("{} was changed by somebody else at {:#x} after the repair was interrupted",
                     files.of(state.foreign_file).name(), *state.foreign_offset);
}

// Why the journal must not be applied; empty: nobody else wrote.
std::string find_third_party(const Journal& journal, const StateOnDisk& state, const RepairFiles& files,
                             bool machine_went_down, Direction direction) {
  const auto header = journal.changes.read_header(Side::old_bytes);
  if (!header) return header.error();
  const bool was_markable = can_be_marked(*header);
  const bool was_marked = is_marked(*header);
  // The mark comes before the first change, and goes after the last one.
  if (was_markable && !was_marked && state.is_unmarked && !state.is_old)
    return fmt::format("{} is in between its old and its new state, but somebody has cleared the corrupt bit",
                       files.image.name());
  if (!state.foreign_offset) return "";
  if (!machine_went_down) return describe_foreign(state, files);
  // Marked, or without a valid header: QEMU did not write here.
  if (was_markable || direction != Direction::as_recorded) return "";
  return describe_foreign(state, files) +
         ", or was lost when the machine went down; --rollback or --resume decides";
}

// The journal is committed. Whoever finds the mark cleared may have gone on writing: the image is theirs.
RepairResult finish(Journal journal, const StateOnDisk& state, const RepairFiles& files,
                    JournalStorage& storage, const TransactionOptions& options, bool machine_went_down) {
  const auto header = journal.changes.read_header(Side::new_bytes);
  if (!header) return refuse(header.error());
  const bool is_markable = can_be_marked(*header);
  const bool is_unreadable = is_markable && !state.is_marked && !state.is_unmarked;
  const bool is_foreign = state.is_marked && state.foreign_offset && !is_marked(*header);
  // The mark is cleared in the first block: when the machine goes down meanwhile, all of that block may be
  // lost, and when it does so again while the block is restored, some of it.
  const bool is_lost =
      is_unreadable || (is_foreign && !header->empty() && state.foreign_file == File::image &&
                        *state.foreign_offset < kBlockBytes);
  if ((is_lost && !machine_went_down) || (is_foreign && !is_lost))
    return refuse(describe_foreign(state, files));
  if (is_lost) {
    auto block = bytes_under_mark(journal.changes, *journal.changes.header(), Side::new_bytes);
    if (!block) return refuse(block.error());
    block->resize(std::min<std::size_t>(block->size(), kBlockBytes));
    auto done = files.image.write(0, *block);
    if (done) done = files.image.flush();
    if (!done) return {State::unfinished, describe_io_error("write", files.image.name(), done.error())};
  }
  Transaction transaction(files, storage, options);
  return transaction.resume_finish(std::move(journal));
}

}  // namespace

std::optional<RepairResult> recover(const RepairFiles& files, JournalStorage& storage,
                                    const TransactionOptions& options, Direction direction) {
  const std::string& path = storage.path_of(JournalName::journal);
  auto device = storage.open(JournalName::journal);
  if (!device) return refuse(describe_io_error("open", path, device.error()));
  if (*device == nullptr) return std::nullopt;
  auto journal = read_journal(**device);
  if (!journal) return refuse(journal.error());
  if (journal->stage == JournalStage::unsealed) return discard(storage);
  if (journal->changes.data_file && files.data_file == nullptr)
    return refuse("the data file is needed: " + journal->changes.data_file->path);

  const auto state = judge_state(journal->changes, files);
  if (!state) return refuse(state.error());
  const bool machine_went_down = journal->boot_id != storage.boot_id();
  if (journal->stage == JournalStage::committed)
    return finish(std::move(*journal), *state, files, storage, options, machine_went_down);
  if (std::string why = find_third_party(*journal, *state, files, machine_went_down, direction); !why.empty())
    return refuse(std::move(why));

  const bool is_back = direction == Direction::back ||
                       (direction == Direction::as_recorded && journal->stage == JournalStage::back);
  Transaction transaction(files, storage, options);
  return is_back ? transaction.resume_back(std::move(*journal))
                 : transaction.resume_forward(std::move(*journal));
}

}  // namespace cowvet
