// What became of a run of cowvet-repair; what is printed at the end follows from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"
#include "checker/report/verdict.h"

namespace cowvet {

// Behind those of `qemu-img check`.
inline constexpr int kExitRefused = 64;
inline constexpr int kExitTakenBack = 65;

enum class Ending : std::uint8_t {
  nothing_to_do,  // the plan is empty
  planned,        // a dry run
  refused,        // nothing was changed
  failed,         // nothing was changed, because something went wrong
  repaired,       // also: a repair that had been interrupted was finished
  undone,
  taken_back,  // the image has the bytes that it had before the repair
  unfinished,  // in between; the journal is there
};

std::string_view to_string(Ending ending);  // "nothing-to-do", "planned", ...

struct Outcome {
  Ending ending = Ending::failed;
  std::string message = {};          // why, or what went wrong though it is done; may be empty
  std::optional<Report> found = {};  // before
  std::optional<Plan> plan = {};
  std::optional<Report> left = {};  // after, where something was changed
  std::string undo_file = {};       // that leads back; empty: none was left
  std::string output = {};          // the repaired copy; empty: none was made
  std::optional<std::uint64_t> discarded_bytes = {};
};

int exit_status_of(const Outcome& outcome, Judging judging);

}  // namespace cowvet
