// Runs a whole process and says what it cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cowvet::bench {

struct Cost {
  double seconds = 0;
  std::uint64_t peak_bytes = 0;  // resident set
  int status = 0;                // exit status, or 128 + signal
};

// Runs a program with its output thrown away, or put into the file `output`.
Cost run(const std::vector<std::string>& arguments, const std::string& output = "/dev/null");

// What many runs come to: the median time, the largest memory, the last status.
struct Summary {
  double seconds = 0;
  std::uint64_t peak_bytes = 0;
  int status = 0;
};
Summary summarize(std::vector<Cost> costs);

}  // namespace cowvet::bench
