// The command line of `cowvet check`.
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/cli/commands.h"
#include "checker/cli/open_images.h"
#include "checker/cli/plan_options.h"
#include "checker/cli/progress_display.h"
#include "checker/policy/policy.h"
#include "checker/report/report_writer.h"
#include "checker/report/verdict.h"

namespace cowvet {

struct CheckOptions {
  std::vector<std::string> images;  // at least one
  ImageOptions image;
  Options analysis;
  Judging judging;
  ReportFormat format = ReportFormat::human;
  bool quiet = false;
  ProgressOptions progress;
  std::string plan_file;  // --plan; empty: none is made
  bool fixes = false;     // --fixes: a plan for each image, in the SARIF report
  PlanOptions planning;
  std::optional<Policy> policy;        // --policy
  std::chrono::nanoseconds timeout{};  // 0: none
};

// The error is an exit status: help was printed, or a message about wrong usage.
std::expected<CheckOptions, int> parse_check_options(const Arguments& arguments);

}  // namespace cowvet
