#include "repair/journal_writer.h"

namespace cowvet {

std::expected<void, std::string> JournalWriter::seal(const Journal& journal) {
  const auto seal = encode_journal(
      journal, [&](std::span<const std::byte> piece) { return described(storage_.append(piece)); });
  if (!seal) return std::unexpected(seal.error());
  seal_ = *seal;
  auto done = storage_.sync();
  if (done) done = storage_.sync_directory();
  if (done) done = mark(JournalStage::sealed);
  return described(done);
}

std::expected<void, IoError> JournalWriter::resume(const Journal& journal) {
  seal_ = journal.seal;
  if (auto reopened = storage_.reopen(journal.end_bytes); !reopened) return reopened;
  // Whoever wrote it may have been killed before it was on the medium.
  if (auto synced = storage_.sync(); !synced) return synced;
  return storage_.sync_directory();
}

std::expected<void, IoError> JournalWriter::mark(JournalStage stage) {
  const auto appended = storage_.append(encode_mark(seal_, stage));
  was_appended_ = appended.has_value();
  if (!appended) return appended;
  return storage_.sync();
}

std::expected<void, std::string> JournalWriter::described(const std::expected<void, IoError>& done) const {
  if (done) return {};
  return std::unexpected(describe_io_error("write", storage_.path_of(JournalName::journal), done.error()));
}

}  // namespace cowvet
