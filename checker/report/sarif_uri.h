// How SARIF names files.
#pragma once

#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"

namespace cowvet {

// A path as a relative or file URI: every byte that could mean anything else is written as %XX.
std::string file_uri(std::string_view path);

// What a file of the report is called.
std::string uri_of(const Report& report, File file);

}  // namespace cowvet
