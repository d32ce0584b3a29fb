// For people: what the builder put where.
#pragma once

#include <string>

#include "corpus/build.h"

namespace cowvet::corpus {

// One line for each run of clusters with the same use and refcount.
std::string describe_layout(const BuiltImage& built);

}  // namespace cowvet::corpus
