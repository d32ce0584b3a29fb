// The transaction: a set of changes takes effect as a whole, or not at all.
//
//   1. journal   old and new bytes beside the image, synced, sealed, synced: from here on nothing can be
//                lost; it is read back, and is where the bytes come from in all that follows
//   2. mark      the corrupt bit is set and flushed: QEMU refuses to write to the image (version 3)
//   3. space     the files grow, and get what they need allocated
//   4. bytes     structures into free clusters, flush; pointers to them, flush
//   5. compare   everything is read back
//   6. check     the caller examines the result as it is going to be
//   7. commit    the journal says that the image is new
//   8. unmark    the corrupt bit becomes what the new header says, flush
//   9. finish    the journal becomes the undo file, or is removed
//
// Whatever fails, or an interruption, before 7: the same way back, to the old bytes (Side::old_bytes), and
// the journal is removed. A crash anywhere leaves the journal, from which recovery.h goes on.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "repair/applier.h"
#include "repair/changes.h"
#include "repair/journal.h"
#include "repair/journal_storage.h"
#include "repair/journal_writer.h"

namespace cowvet {

struct RepairResult {
  enum class State : std::uint8_t {
    unchanged,    // refused: nothing was written to the image
    done,         // all new
    rolled_back,  // all old again
    unfinished,   // in between, or not known to be durable; the journal is there for the next start
  };
  State state = State::unchanged;
  std::string message;  // why it is not done, or what went wrong though it is; may be empty
};

// Examines the files as they will be (the mark is not seen); an error says what is wrong with them.
using CheckAgain = std::function<std::expected<void, std::string>(
    const Device& image, const Device* data_file, const std::string& note)>;

struct TransactionOptions {
  CheckAgain check;  // may be empty
  StopRequest stop;  // may be empty
  bool keep_undo = true;
};

class Transaction {
 public:
  Transaction(const RepairFiles& files, JournalStorage& storage, const TransactionOptions& options)
      : files_(files), storage_(storage), options_(options), writer_(storage) {}

  RepairResult run(const Changes& changes);

  // For recovery: goes on with a journal that was read, in either direction, or behind its commit.
  RepairResult resume_forward(Journal journal);
  RepairResult resume_back(Journal journal);
  RepairResult resume_finish(Journal journal);

 private:
  std::expected<void, std::string> write_journal(const Changes& changes);
  std::expected<void, std::string> advance();
  RepairResult go_forward();
  RepairResult go_back(const std::string& why);
  RepairResult finish();
  std::expected<void, std::string> check_again() const;
  std::expected<void, IoError> remove_journal();
  std::expected<void, std::string> adopt(Journal journal);
  bool is_stopped() const { return options_.stop && options_.stop(); }

  const RepairFiles& files_;
  JournalStorage& storage_;
  const TransactionOptions& options_;
  JournalWriter writer_;
  std::unique_ptr<Device> journal_device_;  // of a journal that was written here
  Journal journal_;
  Applier applier_{files_, journal_.changes};
  bool is_resumed_ = false;  // what is on the medium is not known
  bool may_be_committed_ = false;
};

}  // namespace cowvet
