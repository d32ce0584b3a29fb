#include "checker/triage/examine_image.h"

#include <fmt/format.h>

#include <new>
#include <utility>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/device/file_device.h"
#include "checker/device/follow.h"
#include "checker/device/journal_name.h"
#include "checker/device/locks.h"
#include "checker/planning/kept_record.h"
#include "checker/triage/signature.h"

namespace cowvet {
namespace {

ImageResult not_opened(const std::string& path, std::string_view reason, std::string detail) {
  return {.path = path,
          .outcome = Outcome::unreadable,
          .signature = signature_of(Outcome::unreadable, reason),
          .check_errors = 1,
          .detail = std::move(detail)};
}

// What decided, for people: the first finding of that severity.
std::string detail_of(const Report& report) {
  if (!report.unfinished_journal.empty())
    return fmt::format("a repair was interrupted, and may have left it in between: {}",
                       report.unfinished_journal);
  for (const Finding& finding : report.findings)
    if (finding.severity == report.worst && report.worst != Severity::notice) return finding.detail;
  return "";
}

// `kept`: what former repairs kept, as `cowvet check` takes it into account, too.
Report analyze_file(const FileDevice& device, std::vector<KeptRun> kept, const ExamineOptions& options) {
  const FollowRules backing{.image_path = device.name(), .follow_directories = {}};
  FollowRules data_file = backing;
  if (!options.force_share) data_file.locks = LockUse::take;
  const Inputs inputs{device, make_opener(std::move(data_file)), make_opener(backing)};
  Options analysis;
  analysis.threads = 1;  // images are shared out among processes
  analysis.deep = options.deep;
  analysis.max_memory_bytes = options.reference_memory_bytes;
  analysis.kept = std::move(kept);
  Report report = analyze(inputs, analysis);
  report.unfinished_journal = find_unfinished_journal(device.name());
  return report;
}

ImageResult examine(const std::string& path, const ExamineOptions& options) {
  const auto device = FileDevice::open(path);
  if (!device) {
    const int code = device.error().code;
    return not_opened(path, code == 0 ? "not a file or block device" : describe_errno(code),
                      device.error().message);
  }
  if (!options.force_share)
    if (const auto locks = take_locks((*device)->descriptor(), kImageCheckLocks); !locks)
      return not_opened(path, "in use", locks.error());
  const auto kept = load_kept(path, "");
  const Report report = analyze_file(**device, kept.value_or(std::vector<KeptRun>()), options);
  ImageResult result{.path = path,
                     .size_bytes = report.image_bytes,
                     .outcome = outcome_of(report),
                     .signature = signature_of(report),
                     .corruptions = report.counters.corruptions,
                     .leaks = report.counters.leaks,
                     .kept_leaks = report.kept_leaks,
                     .check_errors = report.counters.check_errors,
                     .detail = detail_of(report)};
  if (!kept) {
    result.outcome = Outcome::unreadable;
    result.signature = signature_of(Outcome::unreadable, "the record of what a repair kept");
    result.detail = kept.error();
  }
  return result;
}

}  // namespace

ImageResult examine_image(const std::string& path, const ExamineOptions& options) {
  try {
    return examine(path, options);
  } catch (const std::bad_alloc&) {
    return {.path = path,
            .outcome = Outcome::out_of_memory,
            .signature = signature_of(Outcome::out_of_memory, "the limit was reached"),
            .check_errors = 1};
  }
}

}  // namespace cowvet
