#include "repair/transaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <random>
#include <span>
#include <utility>

#include "checker/device/overlay_device.h"
#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

std::uint64_t random_id() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

// Memory may run out at any place where there is still a way back.
template <typename Function>
std::expected<void, std::string> guarded(Function function) {
  try {
    return function();
  } catch (const std::bad_alloc&) {
    return std::unexpected("out of memory");
  }
}

}  // namespace

RepairResult Transaction::run(const Changes& changes) {
  if (is_stopped()) return {State::unchanged, "interrupted"};
  const std::string& path = storage_.path_of(JournalName::journal);
  const auto created = storage_.create();
  if (!created && created.error().code == EEXIST)
    return {State::unchanged, fmt::format("an earlier repair was not finished: {} is there", path)};
  const auto written = created ? guarded([&] { return write_journal(changes); })
                               : std::unexpected(describe_io_error("write", path, created.error()));
  if (written) return go_forward();
  // The image was not touched; a journal that stayed behind, sealed or not, must not be carried out.
  if (const auto removed = remove_journal(); !removed)
    return {State::unfinished, written.error() + "; " + describe_io_error("remove", path, removed.error())};
  return {State::unchanged, written.error()};
}

// A journal that cannot be read back is none: that shows before the image is touched.
std::expected<void, std::string> Transaction::write_journal(const Changes& changes) {
  if (auto sealed = writer_.seal({.id = random_id(), .boot_id = storage_.boot_id(), .changes = changes});
      !sealed)
    return sealed;
  const std::string& path = storage_.path_of(JournalName::journal);
  auto device = storage_.open(JournalName::journal);
  if (!device) return std::unexpected(describe_io_error("open", path, device.error()));
  if (*device == nullptr) return std::unexpected(fmt::format("{} is gone", path));
  journal_device_ = std::move(*device);
  auto journal = read_journal(*journal_device_);
  if (!journal) return std::unexpected(journal.error());
  if (journal->stage != JournalStage::sealed || journal->seal != writer_.seal())
    return std::unexpected(fmt::format("{} does not hold what was written there", path));
  journal_ = std::move(*journal);
  return {};
}

RepairResult Transaction::resume_forward(Journal journal) {
  if (auto adopted = adopt(std::move(journal)); !adopted) return {State::unfinished, adopted.error()};
  return go_forward();
}

RepairResult Transaction::resume_back(Journal journal) {
  if (auto adopted = adopt(std::move(journal)); !adopted) return {State::unfinished, adopted.error()};
  return go_back("");
}

RepairResult Transaction::resume_finish(Journal journal) {
  if (auto adopted = adopt(std::move(journal)); !adopted) return {State::unfinished, adopted.error()};
  return finish();
}

std::expected<void, std::string> Transaction::adopt(Journal journal) {
  journal_ = std::move(journal);
  is_resumed_ = true;
  may_be_committed_ = journal_.stage == JournalStage::committed;
  if (auto resumed = writer_.resume(journal_); !resumed)
    return std::unexpected(
        describe_io_error("write", storage_.path_of(JournalName::journal), resumed.error()));
  return {};
}

// All that comes before the commit.
std::expected<void, std::string> Transaction::advance() {
  if (auto applied = applier_.apply(Side::new_bytes, options_.stop); !applied) return applied;
  if (auto checked = check_again(); !checked) return checked;
  if (is_stopped()) return std::unexpected("interrupted");
  return {};
}

RepairResult Transaction::go_forward() {
  if (const auto advanced = guarded([&] { return advance(); }); !advanced) return go_back(advanced.error());
  const auto committed = writer_.mark(JournalStage::committed);
  may_be_committed_ = writer_.was_last_mark_appended();
  if (!committed)
    return go_back(describe_io_error("write", storage_.path_of(JournalName::journal), committed.error()));
  return finish();
}

// The whole check sees each header as it will be: without the mark that is there only in between.
std::expected<void, std::string> Transaction::check_again() const {
  if (!options_.check) return {};
  const auto header = journal_.changes.read_header(Side::new_bytes);
  if (!header) return std::unexpected(header.error());
  OverlayDevice image(files_.image);
  if (can_be_marked(*header)) image.write(kMarkOffset, std::span(*header).subspan(kMarkOffset, 1));
  return options_.check(image, files_.data_file, journal_.changes.note);
}

RepairResult Transaction::go_back(const std::string& why) {
  const bool is_known = writer_.mark(JournalStage::back).has_value();
  // Whoever finds a journal that may be committed takes the image for new: then it must not become old.
  if (!is_known && may_be_committed_) return {State::unfinished, why + "; the journal cannot be written"};
  // A failing write may mean that there is no space: what was not overwritten need not be restored. After a
  // failing flush, and after a crash, reads do not say what is on the medium.
  applier_.skip_what_is_there(!is_resumed_ && !applier_.flush_failed());
  auto restored = applier_.apply(Side::old_bytes, {});
  if (restored) restored = applier_.unmark(Side::old_bytes);
  if (!restored) return {State::unfinished, fmt::format("{}; then {}", why, restored.error())};
  if (const auto removed = remove_journal(); !removed) {
    const std::string& path = storage_.path_of(JournalName::journal);
    return {is_known ? State::rolled_back : State::unfinished,
            fmt::format("{}; {}", why, describe_io_error("remove", path, removed.error()))};
  }
  return {State::rolled_back, why};
}

RepairResult Transaction::finish() {
  if (auto unmarked = applier_.unmark(Side::new_bytes); !unmarked)
    return {State::unfinished, unmarked.error()};
  if (!options_.keep_undo) {
    const auto removed = remove_journal();
    if (removed) return {State::done, ""};
    return {State::done,
            describe_io_error("remove", storage_.path_of(JournalName::journal), removed.error())};
  }
  auto kept = storage_.rename_to_undo();
  if (kept) kept = storage_.sync_directory();
  if (kept) return {State::done, ""};
  return {State::done, describe_io_error("rename", storage_.path_of(JournalName::journal), kept.error())};
}

std::expected<void, IoError> Transaction::remove_journal() {
  if (auto removed = storage_.remove(); !removed && removed.error().code != ENOENT) return removed;
  return storage_.sync_directory();
}

}  // namespace cowvet
