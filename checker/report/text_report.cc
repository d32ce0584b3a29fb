#include "checker/report/text_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <ranges>
#include <utility>
#include <vector>

#include "checker/report/advice.h"
#include "checker/report/escape.h"
#include "checker/report/numbers.h"
#include "checker/report/place_text.h"
#include "checker/report/wrap.h"

namespace cowvet {
namespace {

enum class Style : std::uint8_t { good, warning, bad, title };

std::string styled(std::string text, Style style, bool colour) {
  if (!colour) return text;
  constexpr std::string_view kCodes[] = {"1;32", "1;33", "1;31", "1"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(style)], text);
}

Style style_of(int exit_status) {
  if (exit_status == kExitSound) return Style::good;
  return exit_status == kExitLeaks || exit_status == kExitNotQcow2 ? Style::warning : Style::bad;
}

// Which file the guest's data was looked for in, and whether it was. Only a raw data file promises anything
// about its content.
std::string data_file_line(const Report& report) {
  if (!report.header_usable || !report.header.has_data_file()) return "";
  if (report.data_file_path.empty())
    return fmt::format("Data file: NOT EXAMINED ({})\n",
                       report.data_file_name.empty() ? "the image names none" : quote(report.data_file_name));
  const std::string_view how = report.data_file_examined ? "examined"
                               : report.header.is_raw_data()
                                   ? "its length examined, its content NOT EXAMINED"
                                   : "its length examined; its content is the guest's own";
  return fmt::format("Data file: {}, {}\n", escape_for_terminal(report.data_file_path), how);
}

std::string backing_file_line(const Report& report) {
  if (report.backing_name.empty()) return "";
  return fmt::format(
      "Backing file: {}, {}\n", quote(report.backing_name),
      report.backing_examined ? "examined, and what is behind it" : "not examined (check it on its own)");
}

std::string evidence_lines(const Evidence& evidence) {
  const auto digest = [](const FileState& state) {
    return state.sha256.empty() ? std::string("no digest, it could not be read") : state.sha256;
  };
  std::string text = fmt::format("  {} {}, {} bytes\n    before  {}\n    after   {}{}\n",
                                 to_string(evidence.file), escape_for_terminal(evidence.path),
                                 evidence.before.size_bytes, digest(evidence.before), digest(evidence.after),
                                 evidence.changed() ? ": IT CHANGED WHILE IT WAS EXAMINED" : ", unchanged");
  if (evidence.access_time_changed()) text += "    its access time changed: it was read\n";
  return text;
}

std::string evidence_section(const Report& report) {
  if (report.evidence.empty()) return "";
  std::string text = "Evidence: opened read-only, without locks; SHA-256 before and after\n";
  for (const Evidence& evidence : report.evidence) text += evidence_lines(evidence);
  return text;
}

std::vector<RuleTotal> worst_first(const Report& report) {
  std::vector<RuleTotal> totals = report.totals;
  std::ranges::stable_sort(totals, std::greater<>(), &RuleTotal::worst);
  return totals;
}

// "corruption, found 12 times in 3 places".
std::string tally(const RuleTotal& total) {
  std::string text = fmt::format("{}, found {}", to_string(total.worst),
                                 total.total == 1 ? "once" : fmt::format("{} times", total.total));
  if (total.total != total.findings)
    text += fmt::format(" in {}", counted(total.findings, "place", "places"));
  return text;
}

std::string rule_section(const Report& report, const RuleTotal& total, const TextOptions& options) {
  std::string text = fmt::format(
      "\n{}: {}\n", styled(std::string(total.rule->id), Style::title, options.colour), tally(total));
  text += wrap_indented(fmt::format("{} {}", total.rule->condition, total.rule->meaning), 2);
  const auto kept = std::ranges::equal_range(report.findings, total.rule, {}, &Finding::rule);
  const std::uint64_t limit = options.findings_per_rule == 0 ? kept.size() : options.findings_per_rule;
  const std::uint64_t shown = std::min<std::uint64_t>(kept.size(), limit);
  for (const Finding& finding : kept | std::views::take(shown)) text += describe(finding, 4);
  if (shown < total.findings) text += fmt::format("    ... and {} more\n", total.findings - shown);
  return text;
}

// The step that the verdict asks for before anything that a single rule asks for.
std::string_view first_step(const Report& report) {
  switch (verdict_of(report)) {
    case Verdict::guest_data_at_risk:
      return "Do not start a guest from this image and do not write to it. Make a copy of the file before "
             "anything else is tried.";
    case Verdict::auxiliary_damaged:
    case Verdict::metadata_damaged:
      return "Do not write to this image before it is repaired.";
    case Verdict::incomplete:
      return "Do not take this image for sound: remove what kept it from being examined, then check again.";
    case Verdict::repair_unfinished:
      return "Finish the repair with 'cowvet-repair --resume IMAGE', or take it back with 'cowvet-repair "
             "--rollback IMAGE', then check again: what is said here is true of neither state.";
    case Verdict::leaks:
      return "The image can be used as it is.";
    case Verdict::refused:
      return "Do not start a guest from this image here.";
    case Verdict::not_qcow2:
      return "Make sure that this is the right file.";
    case Verdict::partly_examined:
    case Verdict::sound:
      return "";
  }
  return "";
}

// Whether a repair may have something to offer beyond notices.
bool is_repairable(const RuleTotal& total) {
  return total.worst != Severity::notice && total.rule->remedy != Remedy::none;
}

// Rules with the same advice share a line.
std::string next_steps(const Report& report, bool colour) {
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> steps;
  for (const RuleTotal& total : worst_first(report)) {
    const std::string_view advice = advice_of(total, report);
    auto at = std::ranges::find(steps, advice, [](const auto& step) { return step.first; });
    if (at == steps.end()) at = steps.insert(at, {advice, {}});
    at->second.push_back(total.rule->id);
  }
  const std::string_view first = first_step(report);
  if (steps.empty() && first.empty()) return "";
  std::string text = fmt::format("\n{}\n", styled("What to do next", Style::title, colour));
  if (!first.empty()) text += wrap_indented(first, 2);
  if (verdict_of(report) == Verdict::repair_unfinished) return text;
  for (const auto& [advice, ids] : steps)
    text += "  - " + wrap(fmt::format("{}: {}", fmt::join(ids, ", "), advice), 4, 4);
  if (report.is_qcow2 && std::ranges::any_of(report.totals, is_repairable))
    text += "  - " +
            wrap("'cowvet-repair --dry-run IMAGE' shows what a repair would do, and changes nothing.", 4, 4);
  return text;
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// The lines that scripts read from `qemu-img check`.
std::string statistics(const Counters& counters) {
  std::string text;
  if (counters.total_clusters != 0 && counters.allocated_clusters != 0)
    text += fmt::format("{}/{} = {:.2f}% allocated, {:.2f}% fragmented, {:.2f}% compressed clusters\n",
                        counters.allocated_clusters, counters.total_clusters,
                        percent(counters.allocated_clusters, counters.total_clusters),
                        percent(counters.fragmented_clusters, counters.allocated_clusters),
                        percent(counters.compressed_clusters, counters.allocated_clusters));
  if (counters.image_end_offset != 0)
    text += fmt::format("Image end offset: {}\n", counters.image_end_offset);
  return text.empty() ? text : '\n' + text;
}

}  // namespace

std::string text_report(const Report& report, const TextOptions& options) {
  const int status = exit_status_of(report, options.judging);
  // Not broken into lines: scripts look for its words.
  std::string text =
      styled(verdict_sentence(report, options.judging), style_of(status), options.colour) + '\n';
  text += data_file_line(report);
  text += backing_file_line(report);
  text += evidence_section(report);
  for (const RuleTotal& total : worst_first(report)) text += rule_section(report, total, options);
  text += next_steps(report, options.colour);
  if (report.header_usable) text += statistics(report.counters);
  return text;
}

}  // namespace cowvet
