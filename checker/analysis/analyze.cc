#include "checker/analysis/analyze.h"

#include <algorithm>

#include "checker/analysis/context.h"
#include "checker/analysis/passes.h"

namespace cowvet {
Report finish_report(Context& context) {
  for (const auto& [file, error] : context.failed_reads.unreported())
    context.report_unreadable(error, {.file = file});
  Report& report = context.report;
  report.image_name = context.image.name();
  report.image_bytes = context.image.size_bytes();
  report.findings = context.findings.take_sorted();
  for (std::uint16_t row = 0; row < kRuleCount; ++row) {
    const RuleId id(row);
    if (const std::uint64_t added = context.findings.added(id))
      report.totals.push_back({id, added, context.findings.total(id), context.findings.worst(id)});
  }
  Counters& counters = report.counters;
  counters.corruptions = context.findings.total(Severity::corruption);
  counters.leaks = context.findings.total(Severity::leak);
  counters.check_errors = context.findings.total(Severity::unchecked);
  counters.notices = context.findings.total(Severity::notice);
  for (const Severity severity : {Severity::leak, Severity::corruption, Severity::unchecked})
    if (context.findings.total(severity) != 0) report.worst = severity;
  return std::move(report);
}

void run_passes(Context& context) {
  // The header decides how everything else is read.
  if (!load_header(context)) return;
  // Cluster size and entry sizes are fixed; the header's areas are claimed.

  load_extensions(context);
  // Names and feature bits are known: whether guest data lies in this file or in another one.

  open_data_file(context);
  load_snapshots(context);
  load_bitmaps(context);
  check_luks(context);
  // All metadata but L2 tables and refcount blocks is claimed.

  check_references(context);
  // Every reference to a cluster of the image file is counted and compared.

  check_first_cluster(context);
  check_data_file_length(context);
  if (context.options.guest_data) check_raw_data(context);
  if (context.options.deep) decode_compressed_clusters(context);
}

Report analyze(const Inputs& inputs, const Options& options, Progress* progress) {
  Progress unseen;
  Context context(inputs, options, progress ? *progress : unseen);
  run_passes(context);
  return finish_report(context);
}

void add_finding(Report& report, Finding finding) {
  auto total = std::ranges::lower_bound(report.totals, finding.rule, {}, &RuleTotal::rule);
  if (total == report.totals.end() || total->rule != finding.rule)
    total = report.totals.insert(total, {finding.rule, 0, 0, Severity::notice});
  ++total->findings;
  total->total += finding.count;
  total->worst = std::max(total->worst, finding.severity);
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

}  // namespace cowvet
