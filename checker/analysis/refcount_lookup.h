// Single refcounts, for passes that ask about a few clusters before the refcounts as a whole are examined.
#pragma once

#include <cstdint>

#include "checker/analysis/context.h"

namespace cowvet {

// The refcount of one cluster; 0 where the refcount table does not reach it or cannot be read. Reports
// nothing: the pass over the refcounts does.
std::uint64_t look_up_refcount(const Context& context, std::uint64_t cluster_index);

// Whether every cluster of [offset, offset + length) that begins past the end of the file has a refcount:
// then the space is allocated, though nothing was written there yet. Structures that may be so are a few MiB
// long; a longer claim is not believed.
bool allocated_past_end(const Context& context, std::uint64_t offset, std::uint64_t length);

}  // namespace cowvet
