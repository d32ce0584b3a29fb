#include "checker/triage/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "checker/report/verdict.h"

namespace cowvet {
namespace {

std::string features_of(const Report& report) {
  if (!report.header_usable) return "";
  const Header& header = report.header;
  std::string features = fmt::format(" v{}", header.version);
  const auto add = [&](bool there, std::string_view name) {
    if (there) features.append(" ").append(name);
  };
  add(header.has_extended_l2(), "extended-l2");
  add(header.has_data_file(), "data-file");
  add(header.is_raw_data(), "raw");
  add(header.backing_file_offset != 0, "backing");
  add(header.crypt_method != 0, "encrypted");
  add(header.incompatible_features & kIncompatibleCompression, "zstd");
  add(header.nb_snapshots != 0, "snapshots");
  add(header.has_bitmaps_bit(), "bitmaps");
  return features;
}

std::string describe_kind(const Place& place) {
  std::string kind;
  if (place.file != File::image) kind.append(to_string(place.file)).append(" ");
  // "snapshot 1 (daily)": whose name it is does not matter.
  if (!place.owner.empty()) kind.append(place.owner, 0, place.owner.find(' ')).append(" ");
  return kind.append(to_string(place.structure));
}

std::string element_of(const Finding& finding) {
  std::string element = fmt::format(" {}({}", finding.rule->id, describe_kind(finding.place));
  if (finding.other) element += " ~ " + describe_kind(*finding.other);
  return element + ")";
}

}  // namespace

Outcome outcome_of(const Report& report) {
  switch (verdict_of(report)) {
    case Verdict::sound:
    case Verdict::partly_examined:
      return Outcome::sound;
    case Verdict::leaks:
      return Outcome::leaks;
    case Verdict::metadata_damaged:
    case Verdict::auxiliary_damaged:
    case Verdict::guest_data_at_risk:
    case Verdict::refused:
      return Outcome::corrupt;
    case Verdict::not_qcow2:
      return Outcome::not_qcow2;
    case Verdict::incomplete:
    case Verdict::repair_unfinished:
      break;
  }
  return Outcome::unreadable;
}

std::string signature_of(const Report& report) {
  std::string signature(to_string(outcome_of(report)));
  signature += features_of(report);
  if (!report.unfinished_journal.empty()) signature += " repair-unfinished";
  if (report.kept_leaks != 0) signature += " kept-leaks";
  // Findings are by rule, but those of one rule are by place: what is alike need not be side by side.
  std::vector<std::string> of_rule;
  bool any = false;
  for (auto at = report.findings.begin(); at != report.findings.end();) {
    const RuleId rule = at->rule;
    of_rule.clear();
    for (; at != report.findings.end() && at->rule == rule; ++at) of_rule.push_back(element_of(*at));
    std::ranges::sort(of_rule);
    const auto repeated = std::ranges::unique(of_rule);
    of_rule.erase(repeated.begin(), repeated.end());
    if (!any) signature += ":";
    any = true;
    for (const std::string& element : of_rule) signature += element;
  }
  return signature;
}

std::string signature_of(Outcome outcome, std::string_view reason) {
  return fmt::format("{}: {}", to_string(outcome), reason);
}

}  // namespace cowvet
