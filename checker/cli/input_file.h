// Files other than images that a user names to be read: a policy, a pack, a plan, the lines of a triage.
#pragma once

#include <expected>
#include <fstream>
#include <string>
#include <string_view>

namespace cowvet {

// `what` is for the error, a sentence: "the policy". A FIFO is read as it comes; a directory is refused here,
// because a stream throws when it is read from one.
std::expected<std::ifstream, std::string> open_input(const std::string& path, std::string_view what);

}  // namespace cowvet
