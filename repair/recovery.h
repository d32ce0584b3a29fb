// What a journal means that is still there at the next start.
//
//   1. never sealed     nothing had begun: the journal is removed
//   2. sealed           the repair is carried out again from its first write (or taken back, if so asked)
//   3. going back       it is taken back (or carried out, if so asked)
//   4. committed        the image is new; what may be missing is that the mark is cleared
//
// All of these may be interrupted in turn, and be begun again. Nothing is written when the files are others
// than those of the journal, or a third party wrote to them in between. It did so
//   - where a byte is neither old nor new. But when the machine went down since (JournalStorage::boot_id), a
//     block that was being written may hold anything; it is then taken for ours if QEMU could not write to
//     the image, because it carries the mark or has no valid header. For version 2, which has no mark, nobody
//     can tell: the user must say which way to go;
//   - where the mark is gone and the image is in between all the same.
#pragma once

#include <optional>

#include "repair/transaction.h"

namespace cowvet {

enum class Direction : std::uint8_t {
  as_recorded,  // what the journal says
  forward,      // the user wants the repair
  back,         // the user wants the old image
};

// Nothing: there is no journal, all is well. `unchanged`: see the message; a journal that was never sealed
// has no message.
std::optional<RepairResult> recover(const RepairFiles& files, JournalStorage& storage,
                                    const TransactionOptions& options,
                                    Direction direction = Direction::as_recorded);

}  // namespace cowvet
