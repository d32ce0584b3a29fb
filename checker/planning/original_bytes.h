// Contents that name places of the original: whether what is there is still what it was.
#pragma once

#include <optional>

#include "checker/device/content.h"

namespace cowvet {

// Whether `device` reads at `offset` as `content` says. False where either cannot be read.
bool holds(const Device& device, std::uint64_t offset, const Content& content, const Device& original);

// The same with the hash of every place that it names.
Content hash_originals(const Content& content, const Device& original);

// The first place named that cannot be read or does not have its hash: its offset in the original.
std::optional<std::uint64_t> find_changed_original(const Content& content, const Device& original);

}  // namespace cowvet
