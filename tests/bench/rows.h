// The images of the benchmark: they grow in every direction that matters.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace cowvet::bench {

struct Row {
  std::string name;  // also of the image file
  std::string what;
  std::string target;          // how many times faster than qemu-img, in how much memory; empty: none
  bool slow_for_qemu = false;  // minutes: measured in fewer rounds
  std::function<void(const std::filesystem::path& image)> make;
};

std::vector<Row> target_rows();
std::vector<Row> growth_rows();
std::vector<Row> snapshot_rows();  // the same disk with 1, 10 and 100 snapshots

// Makes the image in the working directory where it is not there yet; returns its name.
std::string make_image(const Row& row);
void remove_image(const Row& row);

// Of any of the rows above.
const Row& find_row(const std::string& name);

}  // namespace cowvet::bench
