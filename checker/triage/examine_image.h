// One image of many: opened read-only, examined on this thread alone, boiled down to what triage keeps.
#pragma once

#include <cstdint>
#include <string>

#include "checker/triage/image_result.h"

namespace cowvet {

struct ExamineOptions {
  bool deep = false;                         // as Options::deep
  bool force_share = false;                  // read also what is in use
  std::uint64_t reference_memory_bytes = 0;  // as Options::max_memory_bytes
};

// Where memory ends, that is the outcome; nothing is thrown.
ImageResult examine_image(const std::string& path, const ExamineOptions& options);

}  // namespace cowvet
