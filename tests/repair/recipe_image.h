// A recipe's image as files in a directory, with the files that it names, examined and repaired as the
// program does it: by the real devices, under QEMU's locks, with the journal beside the image.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "checker/planning/planner.h"
#include "corpus/build.h"
#include "corpus/recipe.h"
#include "repair/transaction.h"
#include "tests/repair/repairs.h"

namespace cowvet {

// The recipes of the source tree.
const std::vector<corpus::Recipe>& all_recipes();
// Of these, the indices of those with damage that has some remedy.
std::vector<std::size_t> repairable_recipes();

// For the names of tests.
std::string test_name_of(const corpus::Recipe& recipe);

// One line for people; empty where nothing was found.
std::string describe(const std::vector<RuleTotal>& totals);

class RecipeImage {
 public:
  // Files are made in `directory`; names that leave it are replaced by the plain name "data" or left out.
  RecipeImage(const corpus::Recipe& recipe, const corpus::BuiltImage& built,
              const std::filesystem::path& directory);

  Report check() const { return check(deep_); }  // as the recipe says
  Report check_deep() const { return check(true); }
  // The error is why there can be none.
  std::expected<Plan, std::string> plan(const PlanOptions& options) const;
  RepairResult repair(const Plan& plan) const;
  RepairResult undo() const;

  Contents contents() const;

  // What QEMU is told to open: a json: name with everything that the image itself cannot say.
  std::string qemu_name() const;

 private:
  Report check(bool deep) const;
  template <typename Use>
  auto with_inputs(Use use) const;
  template <typename Use>
  RepairResult with_files(Use use) const;
  std::expected<void, std::string> check_again(const Device& image, const Device* data_file,
                                               const std::string& note) const;

  std::filesystem::path directory_;
  std::string path_;
  std::string data_path_;  // empty: none is to be found
  bool deep_;
};

}  // namespace cowvet
