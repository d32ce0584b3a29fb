// One finding as lines of text.
#pragma once

#include <string>

#include "checker/analysis/finding.h"

namespace cowvet {

// "L2 table of snapshot 1 (daily), byte 0x50088, L1 entry 0, L2 entry 17, guest 0x110000-0x11ffff (64 KiB at
// 1.06 MiB)": what is known of the place, in that order.
std::string describe(const Place& place);

// The place, a line each for what is wrong there and for the other party of a conflict, indented by `indent`.
std::string describe(const Finding& finding, std::size_t indent);

}  // namespace cowvet
