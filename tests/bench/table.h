// A table that is printed line by line while it is measured, and kept as JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/measure.h"

namespace cowvet::bench {

// What all tables need.
struct Settings {
  std::filesystem::path directory;  // of the images; also the working directory
  std::string only;                 // rows whose name contains this
  unsigned rounds = 5;
  unsigned slow_rounds = 1;  // where qemu-img needs minutes; 0: not at all
  bool keep = false;         // the images
};

class Table {
 public:
  // `columns`: the first one is wide, the others are numbers.
  Table(std::string_view title, std::vector<std::string> columns);

  void line(const std::vector<std::string>& cells);
  // One program's share of a line, for the JSON.
  void record(std::string_view row, std::string_view program, const Summary& summary);

  // All that was recorded by all tables.
  static nlohmann::json& records();

 private:
  std::string title_;
};

// Whether the time counts: that of a program that gave up says nothing.
bool counts(const Summary& summary);

std::string milliseconds(const Summary& summary);
std::string mebibytes(const Summary& summary);
std::string ratio(const Summary& of, const Summary& to);

}  // namespace cowvet::bench
