// The builder against QEMU: every sound image passes `qemu-img check`, and QEMU reads from it what the recipe
// wrote.
#include <gtest/gtest.h>

#include "tests/corpus/qemu_agrees.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

class QemuProof : public testing::TestWithParam<std::string> {};

TEST_P(QemuProof, qemu_finds_the_image_sound_and_reads_what_was_written) {
  expect_qemu_agrees(recipe_named(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(sound_recipes, QemuProof, testing::ValuesIn(recipe_names([](const Recipe& recipe) {
                           return recipe.kind == Kind::sound;
                         })),
                         test_name);

}  // namespace
}  // namespace cowvet::corpus
