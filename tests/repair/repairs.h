// Repairs made by hand, to be interrupted: an image, perhaps a data file, and a plan for them.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "repair/recovery.h"
#include "repair/undo.h"
#include "tests/repair/machine.h"

namespace cowvet {

struct HandMadeRepair {
  std::string name;
  Machine machine;  // before
  Plan plan;

  friend void PrintTo(const HandMadeRepair& repair, std::ostream* out) { *out << repair.name; }
};

// Both phases, growth, data files, headers of both versions, the corrupt bit in all its roles.
std::vector<HandMadeRepair> hand_made_repairs();
HandMadeRepair hand_made_repair(const std::string& name);

// Runs the plan as the program does.
RepairResult run_repair(Machine& machine, const Plan& plan, const TransactionOptions& options = {});
RepairResult run_undo(Machine& machine);
std::optional<RepairResult> run_recovery(Machine& machine, Direction direction = Direction::as_recorded,
                                         const TransactionOptions& options = {});

// Image and data file.
struct Contents {
  PagedBytes image;
  PagedBytes data_file;
  bool operator==(const Contents&) const = default;
};
Contents contents_of(const Machine& machine);

}  // namespace cowvet
