// The script and the style sheet of the HTML report: report.js and report.css in this folder.
#pragma once

#include <string_view>

namespace cowvet {

extern const std::string_view kPageScript;
extern const std::string_view kPageStyle;

}  // namespace cowvet
