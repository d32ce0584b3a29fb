// What ranges are filled with: a function of the place, so that misplaced data shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "corpus/recipe.h"

namespace cowvet::corpus {

// Fills `out`, which lies at `offset` of the disk or file.
void fill_pattern(const Pattern& pattern, std::uint64_t offset, std::span<std::byte> out);

}  // namespace cowvet::corpus
