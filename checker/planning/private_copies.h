// What lies on a cluster of somebody else gets a cluster of its own, with the same content: nobody reads
// anything else than before.
#pragma once

#include "checker/planning/round.h"

namespace cowvet {

// l2/cross-linked and l2/overlaps-metadata. A compressed cluster is decoded and becomes a standard one; true:
// the entry needs no copy any more, or the user must say first that it gets one (they would take much more
// room than the file). False: it cannot be decoded, or there is no room.
bool make_private_copy(Round& round, const Finding& finding);

// l1/shared.
void copy_shared_table(Round& round, const Finding& finding);

}  // namespace cowvet
