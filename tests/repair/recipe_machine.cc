#include "tests/repair/recipe_machine.h"

#include <algorithm>

#include "checker/planning/planner.h"
#include "tests/repair/repair_modes.h"

namespace cowvet {
namespace {

Plan plan_on(Machine& machine, PlanOptions options) {
  options.threads = 1;
  options.most_held_bytes = 0;  // so that plans name what they copy
  const MachineFiles on(machine);
  const auto open_data_file = [&machine](const std::string& name) {
    Companion companion{.state = Companion::State::missing, .path = name, .why = "not there"};
    if (!machine.has_data_file()) return companion;
    companion.state = Companion::State::open;
    companion.device = std::make_unique<MachineDevice>(machine, Machine::kDataFile);
    return companion;
  };
  return make_plan({on.image, open_data_file, {}}, options).value_or(Plan{});
}

}  // namespace

Machine machine_of(const corpus::Recipe& recipe, const corpus::BuiltImage& built) {
  Machine machine;
  machine.put_file(Machine::kImage, built.image);
  if (built.data_file && recipe.data_file->found == corpus::DataFile::Found::yes)
    machine.put_file(Machine::kDataFile, *built.data_file);
  return machine;
}

std::vector<RecipeRepair> plans_for(const corpus::Recipe& recipe, const Machine& machine) {
  std::vector<RecipeRepair> repairs;
  std::vector<Contents> results;
  for (const RepairMode& mode : repair_modes_of(recipe)) {
    Machine repaired = machine;
    Plan plan = plan_on(repaired, mode.options);
    if (plan.empty() || !plan.unfit.empty()) continue;
    run_repair(repaired, plan);
    if (std::ranges::find(results, contents_of(repaired)) != results.end()) continue;
    results.push_back(contents_of(repaired));
    repairs.push_back({mode.name, std::move(plan)});
  }
  return repairs;
}

}  // namespace cowvet
