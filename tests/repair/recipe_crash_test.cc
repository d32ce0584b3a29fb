// The machine goes down in every repair of the corpus.
//
// COWVET_CRASH_SAMPLES=10000 takes that many random subsets of the operations that were not flushed where
// there are more than ten of them, else all, and second crashes more often: hours instead of seconds.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/repair/recipe_image.h"
#include "tests/repair/recipe_machine.h"
#include "tests/repair/torture.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

Thoroughness thoroughness() {
  const char* samples = std::getenv("COWVET_CRASH_SAMPLES");
  if (samples == nullptr)
    return {
        .all_subsets_up_to = 3, .samples = 8, .torn_subsets = 3, .second_crash_every = 60, .killed_every = 6};
  return {.samples = std::max<std::uint64_t>(1, std::strtoull(samples, nullptr, 10)),
          .second_crash_every = 20};
}

// In between QEMU must not write, and does not.
void expect_refused_by_qemu(const corpus::Recipe& recipe, const corpus::BuiltImage& built,
                            const Contents& contents) {
  corpus::BuiltImage as_found = built;
  as_found.image = contents.image.all();
  if (as_found.data_file) as_found.data_file = contents.data_file.all();
  const TemporaryDirectory directory;
  const RecipeImage image(recipe, as_found, directory.path());
  const CommandResult result = run_script(
      "qemu-io -t unsafe --object secret,id=key,data=any -c 'write 0 512' " + shell_quote(image.qemu_name()),
      directory.path());
  EXPECT_NE(result.status, 0) << result.out << result.err;
  EXPECT_TRUE(image.contents() == contents);
}

class RecipeCrash : public testing::TestWithParam<std::size_t> {
 protected:
  static void TearDownTestSuite() {
    fmt::print("{} crash states of {} repairs; QEMU was asked to write to {}\n", states_, repairs_, looks_);
  }
  static inline std::uint64_t states_ = 0;
  static inline std::uint64_t repairs_ = 0;
  static inline std::uint64_t looks_ = 0;
};

TEST_P(RecipeCrash, leaves_old_or_new_whenever_the_machine_goes_down) {
  const corpus::Recipe& recipe = all_recipes()[GetParam()];
  const corpus::BuiltImage built = corpus::build(recipe).value();
  const Machine start = machine_of(recipe, built);
  for (const RecipeRepair& repair : plans_for(recipe, start)) {
    SCOPED_TRACE(recipe.name + ", " + repair.mode);
    Torture torture(
        start, [&](Machine& machine) { return run_repair(machine, repair.plan); }, thoroughness());
    torture.look_at_states_in_between([&](const Contents& contents) {
      ++looks_;
      expect_refused_by_qemu(recipe, built, contents);
    });
    torture.crash_everywhere();
    fmt::print("{}, {}: {} operations, {} crash states, {} ended old, {} new\n", recipe.name, repair.mode,
               torture.operations(), torture.states(), torture.old_ends(), torture.new_ends());
    EXPECT_GT(torture.states(), 10 * torture.operations());
    EXPECT_GT(torture.old_ends(), 0u);
    EXPECT_GT(torture.new_ends(), 0u);
    states_ += torture.states();
    ++repairs_;
  }
}

INSTANTIATE_TEST_SUITE_P(all, RecipeCrash, testing::ValuesIn(repairable_recipes()),
                         [](const auto& param) { return test_name_of(all_recipes()[param.param]); });

}  // namespace
}  // namespace cowvet
