// A recipe's image in a machine that can go down, and the plans for it.
#pragma once

#include <string>
#include <vector>

#include "corpus/build.h"
#include "corpus/recipe.h"
#include "tests/repair/repairs.h"

namespace cowvet {

struct RecipeRepair {
  std::string mode;  // as RepairMode::name
  Plan plan;
};

Machine machine_of(const corpus::Recipe& recipe, const corpus::BuiltImage& built);

// The plans of all modes (repair_modes.h) that may be applied. Those that change the same as another are left
// out.
std::vector<RecipeRepair> plans_for(const corpus::Recipe& recipe, const Machine& machine);

}  // namespace cowvet
