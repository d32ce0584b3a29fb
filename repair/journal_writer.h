// Writes journals, in the order that their format asks for (journal.h).
#pragma once

#include "repair/journal.h"
#include "repair/journal_storage.h"

namespace cowvet {

class JournalWriter {
 public:
  explicit JournalWriter(JournalStorage& storage) : storage_(storage) {}

  // Fills the journal, which was created, and has it sealed and durable. After an error, a sentence for
  // people, there may be one that is not sealed.
  std::expected<void, std::string> seal(const Journal& journal);
  const JournalSeal& seal() const { return seal_; }

  // Goes on with a journal that was read from the storage: behind its last mark. Makes it durable up to
  // there.
  std::expected<void, IoError> resume(const Journal& journal);

  // Appends a mark and makes it durable. After an error the mark may be there one day if it was appended in
  // full; less than all of its block is no mark.
  std::expected<void, IoError> mark(JournalStage stage);
  bool was_last_mark_appended() const { return was_appended_; }

 private:
  std::expected<void, std::string> described(const std::expected<void, IoError>& done) const;

  JournalStorage& storage_;
  JournalSeal seal_;
  bool was_appended_ = false;
};

}  // namespace cowvet
