// Gives the space of free clusters back to the file system. What lay in them is gone for good.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "repair/cli/carry_out.h"

namespace cowvet {

// Punches a hole into every cluster that the refcounts call free and nothing refers to. The image must be
// sound, or have leaks only: else a free cluster may hold what was lost. Returns how many bytes are free; an
// error is a sentence.
std::expected<std::uint64_t, std::string> discard_free_clusters(const Workplace& place);

}  // namespace cowvet
