// Runs the checker over a built image, in memory.
#pragma once

#include "checker/analysis/analyze.h"
#include "corpus/build.h"

namespace cowvet::corpus {

// Keeps all findings. The data file is there, missing or not followed as the recipe says. `threads` as in
// Options.
Report examine(const Recipe& recipe, const BuiltImage& built, unsigned threads = 0);

}  // namespace cowvet::corpus
