// Any bytes at all are examined to the end.
#include <algorithm>
#include <cstdlib>

#include "checker/analysis/analyze.h"
#include "checker/device/memory_device.h"
#include "fuzz/bounds.h"

namespace cowvet {
namespace {

std::vector<std::byte> bytes_of(std::span<const std::uint8_t> input) {
  const auto bytes = std::as_bytes(input);
  return {bytes.begin(), bytes.end()};
}

// The data file, if one is asked for: short, and not empty.
Companion open_data_file(const std::string& name) {
  return {.state = Companion::State::open,
          .device = std::make_unique<MemoryDevice>(std::vector<std::byte>(5000, std::byte{7}), name),
          .path = name,
          .why = {}};
}

void expect_consistent(const Report& report) {
  std::uint64_t findings = 0;
  Severity worst = Severity::notice;
  for (const RuleTotal& total : report.totals) {
    findings += total.findings;
    worst = std::max(worst, total.worst);
    if (total.total < total.findings) std::abort();
  }
  if (findings != report.findings.size() || worst != report.worst) std::abort();
}

}  // namespace
}  // namespace cowvet

void cowvet::fuzz::run_input(std::span<const std::uint8_t> input) {
  const MemoryDevice image(bytes_of(input));
  expect_consistent(
      analyze({image, open_data_file, {}}, {.threads = 1, .deep = true, .findings_per_rule = 0}));
}
