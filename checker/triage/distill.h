// The smallest set of images that stands for a corpus: of each group one member, the smallest.
#pragma once

#include <string>
#include <vector>

#include "checker/triage/groups.h"

namespace cowvet {

// Whether `directory` is there and empty, or was made now. What is wrong, for people; empty: nothing.
std::string prepare_directory(const std::string& directory);

// Copies the smallest image of each group into `directory`, as OUTCOME-HASH.qcow2, where the hash is that of
// the signature: the same on every machine. Files that images name are not copied. What went wrong, a
// sentence each.
std::vector<std::string> distill(const Groups& groups, const std::string& directory);

}  // namespace cowvet
