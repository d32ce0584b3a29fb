// Compressed clusters without the guest's data: streams that decode, or fail to, as those of the image do.
#pragma once

#include <cstdint>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/context.h"
#include "checker/device/overlay_device.h"

namespace cowvet {

// Writes into `copy`, at the place of each stream that an L2 table names, a stream of zeros, or one that is
// broken in the same way. Clusters in `untouched` are left alone. Returns for how many streams there was no
// room: they are left out, or with `keep` copied as they are.
std::uint64_t blank_streams(const Context& context, const ClusterSet& untouched, bool keep,
                            OverlayDevice& copy);

}  // namespace cowvet
