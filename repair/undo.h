// Gives an image back the bytes and the length that it had before its last repair. Itself a transaction,
// which leaves an undo file in turn: undoing twice leads back to the repaired image.
#pragma once

#include "repair/transaction.h"

namespace cowvet {

// Refuses an undo file that is damaged, incomplete, or of another image, and an image that was written to
// since where the repair had changed it.
RepairResult undo(const RepairFiles& files, JournalStorage& storage, const TransactionOptions& options);

}  // namespace cowvet
