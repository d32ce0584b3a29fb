// A built image as the checker and the planner take it: in memory, with the files that it names.
#pragma once

#include <functional>

#include "checker/analysis/analyze.h"
#include "corpus/build.h"

namespace cowvet::corpus {

// Calls `use` with devices over what `built` holds now. The data file is there, missing or not followed as
// the recipe says.
void with_inputs(const Recipe& recipe, const BuiltImage& built,
                 const std::function<void(const Inputs&)>& use);

// Runs the checker and keeps all findings; with a policy, judges the image by it, but nothing that lies
// behind the image. `threads` as in Options.
Report examine(const Recipe& recipe, const BuiltImage& built, unsigned threads = 0);

}  // namespace cowvet::corpus
