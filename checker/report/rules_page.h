// The catalogue as a manual page: cowvet-rules(7), in the macros of man(7).
#pragma once

#include <string>
#include <string_view>

namespace cowvet {

std::string rules_page(std::string_view version);

}  // namespace cowvet
