// Reports as one SARIF 2.1.0 log (OASIS, "Static Analysis Results Interchange Format"): a run over all
// images, written one image at a time.
//
// Images are artifacts, findings are results whose regions are byte ranges, the rules are those of the
// catalogue, all of them, with their texts. corruption and unchecked are of level "error", leak "warning",
// notice "note".
//
// A plan becomes one `fix` (see sarif_fix.h). Why there is none, and what it leaves out, is a notification of
// level "note"; an image that could not be opened is one of level "error". The digests of --evidence are the
// hashes of the artifacts; what the files were afterwards is in their properties.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"
#include "checker/report/verdict.h"

namespace cowvet {

class SarifWriter {
 public:
  explicit SarifWriter(Judging judging) : judging_(judging) {}

  // Gives the text to write before the first image, for each image, and behind the last one. `plan` may be
  // null.
  std::string begin() const;
  std::string image(const Report& report, const Plan* plan);
  // Stands for an image that could not even be opened.
  std::string failure(std::string_view image_name, std::string_view error);
  std::string end() const;

 private:
  void add_artifacts(const Report& report);
  void add_artifact(std::string artifact);
  void notify(std::string_view level, std::string_view image_name, std::string_view message);
  std::string result(const Report& report, const Finding& finding, const std::string& fix);

  Judging judging_;
  bool any_result_ = false;
  bool failed_ = false;  // an image could not be opened
  int status_ = 0;
  std::vector<std::string_view> artifacts_;  // JSON objects, in the order of the log
  std::set<std::string> known_artifacts_;    // the same
  std::vector<std::string> notifications_;   // JSON objects
};

}  // namespace cowvet
