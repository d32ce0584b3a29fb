#include "tests/bench/table.h"

#include <fmt/format.h>

#include <cstdio>

namespace cowvet::bench {

Table::Table(std::string_view title, std::vector<std::string> columns) : title_(title) {
  fmt::print("\n{}\n", title);
  line(columns);
}

void Table::line(const std::vector<std::string>& cells) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i == 0) {
      fmt::print("{:<42}", cells[i]);
    } else {
      fmt::print(" {:>12}", cells[i]);
    }
  }
  fmt::print("\n");
  std::fflush(stdout);
}

void Table::record(std::string_view row, std::string_view program, const Summary& summary) {
  records().push_back({{"table", title_},
                       {"row", row},
                       {"program", program},
                       {"seconds", summary.seconds},
                       {"peak-bytes", summary.peak_bytes},
                       {"status", summary.status}});
}

nlohmann::json& Table::records() {
  static nlohmann::json all = nlohmann::json::array();
  return all;
}

bool counts(const Summary& summary) {
  return summary.seconds > 0 && summary.status == 0;
}

std::string milliseconds(const Summary& summary) {
  if (summary.seconds == 0) return "-";
  return counts(summary) ? fmt::format("{:.1f}", summary.seconds * 1e3)
                         : fmt::format("exit {}", summary.status);
}

std::string mebibytes(const Summary& summary) {
  return counts(summary) ? fmt::format("{:.1f}", static_cast<double>(summary.peak_bytes) / (1 << 20)) : "-";
}

std::string ratio(const Summary& of, const Summary& to) {
  return counts(of) && counts(to) ? fmt::format("{:.1f}", of.seconds / to.seconds) : "-";
}

}  // namespace cowvet::bench
