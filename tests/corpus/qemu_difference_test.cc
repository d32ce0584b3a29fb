// `qemu-img check` against every damaged recipe and every near miss. A difference that is not in the table
// fails, and so does a row that no recipe needs any more.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/corpus/qemu_differences.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

TEST(QemuDifference, every_one_has_a_reason) {
  std::set<const Difference*> needed;
  int recipes = 0;
  for (const Recipe& recipe : all_recipes()) {
    if (recipe.kind == Kind::sound) continue;
    ++recipes;
    const auto built = build(recipe);
    ASSERT_TRUE(built);
    const CommandResult qemu = check_by_qemu(recipe, *built);
    if (agrees(recipe.expected_status, qemu.status)) continue;
    const Difference* difference = find_difference((*recipe.rule)->id, recipe.expected_status, qemu.status);
    EXPECT_NE(difference, nullptr) << recipe.name << ": qemu-img check exits with " << qemu.status
                                   << " instead of " << recipe.expected_status << '\n'
                                   << qemu.err;
    needed.insert(difference);
  }
  for (const Difference& difference : differences_of_qemu())
    EXPECT_TRUE(needed.contains(&difference))
        << difference.about << " " << difference.expected << " " << difference.qemu << ": " << difference.why;
  fmt::print("{} recipes were judged by qemu-img check as well, {} kinds of differences\n", recipes,
             differences_of_qemu().size());
}

}  // namespace
}  // namespace cowvet::corpus
