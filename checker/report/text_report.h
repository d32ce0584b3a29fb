// A report for people: the verdict, the findings by rule, what to do next, the statistics of `qemu-img
// check`.
#pragma once

#include <cstdint>
#include <string>

#include "checker/analysis/analyze.h"
#include "checker/report/verdict.h"

namespace cowvet {

struct TextOptions {
  Judging judging;
  std::uint64_t findings_per_rule = 20;  // shown; 0: all that the report holds
  bool colour = false;                   // terminal escapes
};

// Nothing in it but what this program wrote: names from images are escaped.
std::string text_report(const Report& report, const TextOptions& options);

}  // namespace cowvet
