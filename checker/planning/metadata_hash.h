// One number for all metadata of an image, to tell whether it is still the one that a plan was made for.
#pragma once

#include <cstdint>

#include "checker/analysis/context.h"

namespace cowvet {

// XXH3 over every metadata cluster (areas, refcount blocks, L2 tables) in the order of the file. The passes
// must have run with keep_references.
std::uint64_t hash_metadata(const Context& context);

}  // namespace cowvet
