// Whether a repair gives data away that the guest has lost sight of, but that is still in the image.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "corpus/build.h"
#include "tests/repair/guest_content.h"
#include "tests/repair/paged_bytes.h"

namespace cowvet {

// Of the clusters that the recipe wrote (for the active disk, or for a snapshot) and that were still whole in
// the damaged image: the host offsets of those that the guest does not read after the repair, and that the
// repair has freed or overwritten.
std::vector<std::uint64_t> find_given_away(const corpus::BuiltImage& built, const std::string& snapshot_id,
                                           const GuestContent& after, const PagedBytes& repaired);

}  // namespace cowvet
