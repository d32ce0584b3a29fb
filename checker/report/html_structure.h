// The structures of an image as a tree of HTML lists.
#pragma once

#include <string>

#include "checker/analysis/context.h"

namespace cowvet {

// `report` is that of `context`, whose passes have run. Of long lists the beginning is shown, and how many
// there are.
std::string structure_tree(const Context& context, const Report& report);

}  // namespace cowvet
