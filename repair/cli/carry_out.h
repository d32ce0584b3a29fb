// From a decision to an outcome: everything that writes to an image.
#pragma once

#include "repair/cli/files_for_repair.h"
#include "repair/cli/options.h"
#include "repair/cli/outcome.h"
#include "repair/journal_storage.h"
#include "repair/recovery.h"

namespace cowvet {

// What is repaired, and where its journal is.
struct Workplace {
  const RepairOptions& options;
  FilesForRepair& files;
  JournalStorage& storage;
};

// Carries out `plan`, once what it keeps is recorded. Only ending, message, left and undo_file are filled in;
// so below.
Outcome carry_out(const Workplace& place, const Plan& plan);

// Brings an unfinished repair to an end.
Outcome recover_image(const Workplace& place, Direction direction);

// Takes the last repair back.
Outcome undo_image(const Workplace& place);

}  // namespace cowvet
