// Writes the record of kept leaks (checker/planning/kept_record.h).
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "checker/analysis/kept_clusters.h"
#include "checker/device/device.h"

namespace cowvet {

// Replaces the record at `path` as a whole, and is durable then; without any runs there is no file.
std::expected<void, IoError> write_kept_record(const std::string& path, const std::vector<KeptRun>& runs);

}  // namespace cowvet
