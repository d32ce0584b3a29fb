// The command line of cowvet-repair.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "checker/analysis/analyze.h"
#include "checker/cli/commands.h"
#include "checker/cli/open_images.h"
#include "checker/cli/progress_display.h"
#include "checker/planning/planner.h"

namespace cowvet {

enum class Action : std::uint8_t { repair, undo, resume, roll_back };

struct RepairOptions {
  std::string image_path;
  ImageOptions image;  // never force_share
  Action action = Action::repair;
  PlanOptions planning;
  std::string plan_file;  // empty: the plan is made now
  std::string output;     // of the repaired copy; empty: the image itself is repaired
  std::string journal;    // empty: beside the image
  std::string undo_file;  // empty: the newest
  bool keep_undo = true;
  bool discard = false;
  bool yes = false;
  bool dry_run = false;
  bool json = false;
  bool quiet = false;
  ProgressOptions progress;

  // For a check that stands beside the plan.
  Options analysis() const;
};

// The error is an exit status: help was printed, or a message about wrong usage.
std::expected<RepairOptions, int> parse_repair_options(const Arguments& arguments);

}  // namespace cowvet
