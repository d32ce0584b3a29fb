// A report as JSON lines, for programs that read a stream: a line for each finding, then one for the image.
//
//   lines   = { image } ;
//   image   = { finding } verdict ;
//   finding = {"type":"finding","filename":NAME, and what a finding of the JSON document has} ;
//   verdict = {"type":"verdict","filename":NAME, and what the JSON document has but for its findings} ;
#pragma once

#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"
#include "checker/report/verdict.h"

namespace cowvet {

// ASCII; bytes that are no UTF-8 become U+FFFD.
std::string jsonl_report(const Report& report, Judging judging);

// The verdict of an image that could not even be opened.
std::string jsonl_failure(std::string_view image_name, std::string_view error);

}  // namespace cowvet
