// From findings to a plan (see plan.h), and its rehearsal. Reads only.
//
// The planner works on overlays of the image and the data file. In each round the whole checker runs on them,
// and the remedies of the first stage that has any are applied to what it found; refcounts and COPIED bits
// come last, when it is settled who references what. What the last round still finds is what the plan leaves:
// the rehearsal is not a promise but the state in which planning ended. Then the guest's view before and
// after is compared, and a plan that changes it without saying so is unfit.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"

namespace cowvet {

struct PlanOptions {
  bool allow_metadata = false;
  bool allow_lossy = false;
  bool leaks_only = false;                     // refcounts that are too high, and nothing else
  std::set<std::string> only;                  // rule ids; empty: all
  std::map<std::string, std::string> choices;  // rule id -> outcome
  std::vector<std::byte> donor;                // first cluster of an image like this one; may be empty
  std::string data_file_name;                  // what a new header calls the data file; empty: none is known
  std::vector<KeptRun> kept;                   // leaks that former repairs say that they kept
  bool deep = false;
  // What a plan may hold itself of bytes that are in the files: more than that it only names.
  std::uint64_t most_held_bytes = std::uint64_t{16} << 20;
  unsigned threads = 0;                // as in Options
  std::uint64_t max_memory_bytes = 0;  // as in Options
};

// An error is a sentence that says why no plan can be made. `found`: becomes the report of `analyze` (with
// the default number of findings), which the planner has at hand unless COPIED bits are wrong.
std::expected<Plan, std::string> make_plan(const Inputs& inputs, const PlanOptions& options,
                                           Progress* progress = nullptr,
                                           std::optional<Report>* found = nullptr);

}  // namespace cowvet
