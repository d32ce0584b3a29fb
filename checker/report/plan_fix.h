// What the writes of a plan come to, without regard to steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "checker/device/device.h"
#include "checker/planning/plan.h"

namespace cowvet {

// `deleted_bytes` from `offset` on are replaced by `inserted`. They are as many, but at the end of a file
// that grows.
struct Replacement {
  std::uint64_t offset = 0;
  std::uint64_t deleted_bytes = 0;
  std::vector<std::byte> inserted;
};

// Reads what the plan only names by its place in the files, so that it holds all that it writes. Leaves a
// plan alone that writes more than `most_bytes`. `data_file` may be null. False: something cannot be read.
bool hold_originals(Plan& plan, const Device& image, const Device* data_file, std::uint64_t most_bytes);

// Disjoint, in the order of the file, all in terms of the file as it is, `file_bytes` long. Nothing: the plan
// writes more than `most_bytes`, or does not hold all of the bytes itself.
std::optional<std::vector<Replacement>> replacements_of(const Plan& plan, File target,
                                                        std::uint64_t file_bytes, std::uint64_t bytes_after,
                                                        std::uint64_t most_bytes);

}  // namespace cowvet
