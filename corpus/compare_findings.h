// What a checker said against what a recipe expects.
#pragma once

#include <string>

#include "checker/analysis/analyze.h"
#include "corpus/build.h"

namespace cowvet::corpus {

// Empty where every expectation is met and every finding was expected or allowed; else what is not so, for
// people.
std::string compare_findings(const Recipe& recipe, const BuiltImage& built, const Report& report);

// One line, with all that an `expect` line can ask for.
std::string describe(const Finding& finding);

}  // namespace cowvet::corpus
