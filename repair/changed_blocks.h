// Which blocks of 4096 bytes a plan changes.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "checker/planning/planned_files.h"
#include "repair/changes.h"

namespace cowvet {

// The plan was applied to `planned`. Of the blocks that it writes to, those that become other than they are,
// and the header's where it can carry the corrupt bit: that bit changes with every repair, if only in
// between. A block that a pointer is in belongs to the pointers. The error is a sentence for people.
std::expected<std::vector<Change>, std::string> find_changed_blocks(const Plan& plan,
                                                                    const PlannedFiles& planned);

}  // namespace cowvet
