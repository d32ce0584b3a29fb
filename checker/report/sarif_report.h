// Reports as one SARIF 2.1.0 log (OASIS, "Static Analysis Results Interchange Format"): a run over all
// images, written one image at a time.
//
// Images are artifacts, findings are results whose regions are byte ranges, the rules are those of the
// catalogue, all of them, with their texts. corruption and unchecked are of level "error", leak "warning",
// notice "note".
//
// A plan becomes one `fix` with the writes of all steps, which are only right together: of the first result
// that it settles. Regions are of the file as it is; where the file grows, the new bytes replace an empty
// region at its end. Plans that must not be applied, change nothing, or are larger than kLargestFixBytes are
// left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"
#include "checker/report/verdict.h"

namespace cowvet {

class SarifWriter {
 public:
  static constexpr std::uint64_t kLargestFixBytes = 16 << 20;

  explicit SarifWriter(Judging judging) : judging_(judging) {}

  // Gives the text to write before the first image, for each image, and behind the last one. `plan` may be
  // null.
  std::string begin() const;
  std::string image(const Report& report, const Plan* plan);
  // Stands for an image that could not even be opened.
  std::string failure(std::string_view image_name, std::string_view error);
  std::string end() const;

 private:
  std::string result(const Report& report, const Finding& finding, const std::string& fix);

  Judging judging_;
  bool any_result_ = false;
  int status_ = 0;
  std::vector<std::string> artifacts_;      // JSON objects
  std::vector<std::string> notifications_;  // the same
};

// A path as a relative or file URI: every byte that could mean anything else is written as %XX.
std::string file_uri(std::string_view path);

}  // namespace cowvet
