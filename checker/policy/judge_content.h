// What a policy says of one image, leaving out what is behind it.
#pragma once

#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/policy/policy.h"

namespace cowvet {

struct ContentJudging {
  File file = File::image;
  std::string prefix;  // of each detail: which image it is
  bool data_file_named_by_user = false;
};

std::vector<Finding> judge_content(const Report& report, const Device& device, const Policy& policy,
                                   const ContentJudging& judging);

}  // namespace cowvet
