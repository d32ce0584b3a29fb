// Under which options the recipes are repaired, and what cannot be had of some of them, with the reason.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checker/planning/planner.h"
#include "corpus/recipe.h"

namespace cowvet {

struct RepairMode {
  std::string name;
  PlanOptions options;
  bool is_choice = false;      // the user says which outcome
  bool gives_nothing = false;  // neither guest data nor anything else is given up
};

// Safe remedies and the default choices alone; all consents; and each outcome of the recipe's rule.
std::vector<RepairMode> repair_modes_of(const corpus::Recipe& recipe);

// Why QEMU cannot open an image that is repaired, and the words with which it says so.
struct QemuRefusal {
  std::string_view recipe;
  std::string_view message;
  std::string_view why;
};
// nullptr: it must open it.
const QemuRefusal* qemu_refusal(const corpus::Recipe& recipe);

// Why the rehearsal of a plan fails; empty: it must not.
std::string_view why_unfit(const corpus::Recipe& recipe, const RepairMode& mode);

// Why only a choice that has no default makes the image sound; empty: another mode must.
std::string_view why_chosen(const corpus::Recipe& recipe);

}  // namespace cowvet
