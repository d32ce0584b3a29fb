// A report as JUnit XML, which CI systems show as tests: a suite for each image, in it one test for the
// verdict and one for each rule that the image breaks.
//
// corruption and leaks are failures, what could not be examined is an error, notices pass (and fail with
// `strict`). A rule that was not broken is no test: it may not even have been examined. What --evidence knows
// of the files is in the suite's properties: evidence.1.path, .file, .sha256-before, .sha256-after, .changed.
#pragma once

#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"
#include "checker/report/verdict.h"

namespace cowvet {

// The document around the suites.
std::string junit_begin();
std::string junit_end();

// One <testsuite>. XML 1.0 in UTF-8, whatever the names in the image hold.
std::string junit_suite(const Report& report, Judging judging);

// Stands for an image that could not even be opened.
std::string junit_failure(std::string_view image_name, std::string_view error);

}  // namespace cowvet
