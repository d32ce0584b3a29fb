#include "tests/report/sample_report.h"

#include <algorithm>
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

void add(Report& report, Finding finding) {
  auto at = std::ranges::lower_bound(report.totals, finding.rule, {}, &RuleTotal::rule);
  if (at == report.totals.end() || at->rule != finding.rule)
    at = report.totals.insert(at, {finding.rule, 0, 0, Severity::notice});
  RuleTotal& total = *at;
  ++total.findings;
  total.total += finding.count;
  total.worst = std::max(total.worst, finding.severity);
  report.worst = std::max(report.worst, finding.severity);
  Counters& counters = report.counters;
  switch (finding.severity) {
    case Severity::notice:
      counters.notices += finding.count;
      break;
    case Severity::leak:
      counters.leaks += finding.count;
      break;
    case Severity::corruption:
      counters.corruptions += finding.count;
      break;
    case Severity::unchecked:
      counters.check_errors += finding.count;
      break;
  }
  report.findings.insert(std::ranges::upper_bound(report.findings, finding), std::move(finding));
}

Report with(Finding finding) {
  Report report = sound_report();
  add(report, std::move(finding));
  return report;
}

Report with(RuleId id) {
  return with(Finding{.rule = id});
}

}  // namespace cowvet
