// May this image be booted here? Adds the policy/* findings to a report.
#pragma once

#include <string>

#include "checker/analysis/analyze.h"
#include "checker/policy/policy.h"

namespace cowvet {

// The rules by which the image at `path` may open what it names. A data file is looked for below the policy's
// directories only, never beside the image.
OpenCompanion backing_opener(const Policy& policy, const std::string& path);
// `force_share`: without QEMU's locks.
OpenCompanion data_file_opener(const Policy& policy, const std::string& path, bool force_share);

struct Judged {
  const Device& image;
  std::string path;
  bool data_file_named_by_user = false;
};

// Of `report`, which is that of the image, examined with `options`: its own content, then every backing file
// behind it. What could not be examined becomes a finding of severity `unchecked`.
void judge_image(Report& report, const Judged& judged, const Policy& policy, const Options& options);

}  // namespace cowvet
