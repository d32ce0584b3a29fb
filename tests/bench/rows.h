// The rows of the benchmark table: images that grow in every direction that matters.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace cowvet::bench {

struct Row {
  std::string name;  // also of the image file
  std::string what;
  std::string target;          // how many times faster than qemu-img, in how much memory
  bool slow_for_qemu = false;  // minutes: measured in fewer rounds
  std::function<void(const std::filesystem::path& image)> make;
};

std::vector<Row> rows();

}  // namespace cowvet::bench
