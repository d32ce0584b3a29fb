// Where `qemu-img check` says something else than what a checker has to say, and why: the reviewed table of
// all such differences. QEMU refuses to open much of what is damaged: as long as the image is damaged, that
// counts as agreement.
#pragma once

#include <span>
#include <string_view>

#include "corpus/build.h"
#include "corpus/recipe.h"
#include "tests/support/run_command.h"

namespace cowvet::corpus {

inline constexpr int kRefused = 1;
inline constexpr int kCorrupt = 2;

struct Difference {
  std::string_view about;  // a rule
  int expected;            // exit status
  int qemu;
  std::string_view why;
};

std::span<const Difference> differences_of_qemu();

// The row for an image with a finding of this rule; nullptr: there is none.
const Difference* find_difference(std::string_view rule, int expected, int qemu);

bool agrees(int expected, int qemu);

// `built` may differ from what the recipe builds.
CommandResult check_by_qemu(const Recipe& recipe, const BuiltImage& built);

}  // namespace cowvet::corpus
