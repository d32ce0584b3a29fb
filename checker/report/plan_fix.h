// What the writes of a plan come to, without regard to steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "checker/planning/plan.h"

namespace cowvet {

// `deleted_bytes` from `offset` on are replaced by `inserted`. They are as many, but at the end of a file
// that grows.
struct Replacement {
  std::uint64_t offset = 0;
  std::uint64_t deleted_bytes = 0;
  std::vector<std::byte> inserted;
};

// Disjoint, in the order of the file, all in terms of the file as it is, `file_bytes` long. Nothing: the plan
// changes more than `most_bytes`, or so much that it does not hold all of the bytes itself.
std::optional<std::vector<Replacement>> replacements_of(const Plan& plan, File target,
                                                        std::uint64_t file_bytes, std::uint64_t bytes_after,
                                                        std::uint64_t most_bytes);

}  // namespace cowvet
