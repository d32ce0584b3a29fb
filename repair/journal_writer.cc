#include "repair/journal_writer.h"

namespace cowvet {

std::expected<void, IoError> JournalWriter::seal(const Journal& journal) {
  if (auto created = storage_.create(); !created) return created;
  const auto seal =
      encode_journal(journal, [&](std::span<const std::byte> piece) { return storage_.append(piece); });
  if (!seal) return std::unexpected(seal.error());
  seal_ = *seal;
  if (auto synced = storage_.sync(); !synced) return synced;
  if (auto synced = storage_.sync_directory(); !synced) return synced;
  return mark(Stage::sealed);
}

std::expected<void, IoError> JournalWriter::resume(const Journal& journal) {
  const auto seal =
      encode_journal(journal, [](std::span<const std::byte>) { return std::expected<void, IoError>{}; });
  if (!seal) return std::unexpected(seal.error());
  seal_ = *seal;
  if (auto reopened = storage_.reopen(journal.end_bytes); !reopened) return reopened;
  // Whoever wrote it may have been killed before it was on the medium.
  if (auto synced = storage_.sync(); !synced) return synced;
  return storage_.sync_directory();
}

std::expected<void, IoError> JournalWriter::mark(Stage stage) {
  const auto appended = storage_.append(encode_mark(seal_, stage));
  was_appended_ = appended.has_value();
  if (!appended) return appended;
  return storage_.sync();
}

}  // namespace cowvet
