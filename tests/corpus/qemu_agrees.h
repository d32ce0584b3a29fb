// The builder against QEMU: what `qemu-img` says of a built image, and what it reads from it.
#pragma once

#include "corpus/recipe.h"

namespace cowvet::corpus {

// Builds the image and fails the test unless `qemu-img check` finds it sound and `qemu-img convert` reads
// what the recipe wrote, on the active disk and in every snapshot.
void expect_qemu_agrees(const Recipe& recipe);

}  // namespace cowvet::corpus
