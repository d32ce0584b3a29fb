#include "tests/report/sample_report.h"

#include <utility>

namespace cowvet {

Report sound_report() {
  Report report;
  report.image_name = "disk.qcow2";
  report.image_bytes = 0x60000;
  report.is_qcow2 = report.header_usable = true;
  report.header.size = 1 << 20;
  report.counters.total_clusters = 16;
  report.counters.allocated_clusters = 4;
  report.counters.fragmented_clusters = 1;
  report.counters.image_end_offset = 0x60000;
  return report;
}

Report with(Finding finding) {
  Report report = sound_report();
  add_finding(report, std::move(finding));
  return report;
}

Report with(RuleId id) {
  return with(Finding{.rule = id});
}

}  // namespace cowvet
