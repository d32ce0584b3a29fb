// One compressed cluster of a disk, found by its guest offset.
#pragma once

#include <cstddef>
#include <vector>

#include "checker/analysis/guest_extents.h"

namespace cowvet {

// What the guest reads of the cluster that begins at `guest`, in bytes. Nothing: its entry is not that of a
// compressed cluster, or the stream does not decode.
std::optional<std::vector<std::byte>> decode_cluster(const Context& context, const DiskState& disk,
                                                     std::uint64_t guest);

// The same of an entry that is at hand.
std::optional<std::vector<std::byte>> decode_entry(const Header& header, const Device& image, L2Entry entry);

}  // namespace cowvet
