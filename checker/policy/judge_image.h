// May this image be booted here? Adds the policy/* findings to a report.
#pragma once

#include <functional>
#include <string>

#include "checker/analysis/analyze.h"
#include "checker/device/companion.h"
#include "checker/device/locks.h"
#include "checker/policy/policy.h"

namespace cowvet {

// The rules by which the image at `path` may open what it names. A data file is looked for below the policy's
// directories only, never beside the image.
OpenCompanion backing_opener(const Policy& policy, const std::string& path, LockUse locks);
OpenCompanion data_file_opener(const Policy& policy, const std::string& path, LockUse locks);

struct Judged {
  const Device& image;
  std::string path;
  bool data_file_named_by_user = false;
  LockUse locks = LockUse::take;  // on the files behind the image
  // Sees each of them when it is opened, and may put another device in its place; may be empty.
  std::function<Companion(File file, Companion companion)> keep = {};
};

// Of `report`, which is that of the image, examined with `options`: its own content, then every backing file
// behind it. What could not be examined becomes a finding of severity `unchecked`.
void judge_image(Report& report, const Judged& judged, const Policy& policy, const Options& options);

}  // namespace cowvet
