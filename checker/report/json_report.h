// A report for programs: every key of `qemu-img check --output=json` with the same meaning, and more.
#pragma once

#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"
#include "checker/report/verdict.h"

namespace cowvet {

// Json::document spans lines, one finding a line; Json::line is one line, for several images in one output.
enum class JsonLayout : std::uint8_t { document, line };

// Valid JSON in ASCII, with a line feed at its end; bytes that are no UTF-8 become U+FFFD. The same report
// always gives the same bytes.
std::string json_report(const Report& report, Judging judging, JsonLayout layout);

// Stands for an image that could not even be opened.
std::string json_failure(std::string_view image_name, std::string_view error, JsonLayout layout);

}  // namespace cowvet
