#include "checker/report/html_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "checker/report/advice.h"
#include "checker/report/base64.h"
#include "checker/report/html.h"
#include "checker/report/html_maps.h"
#include "checker/report/html_structure.h"
#include "checker/report/numbers.h"
#include "checker/report/page/page_parts.h"
#include "checker/report/place_text.h"

namespace cowvet {
namespace {

constexpr std::size_t kMostFindingBytes = 512 << 10;  // of all findings in the page
constexpr std::size_t kLongestFinding = 1000;         // bytes of text

// What a browser may do with the page: run this script, use this style sheet, load nothing.
std::string content_security_policy() {
  return fmt::format(
      "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action "
      "'none'",
      base64(sha256(kPageScript)), base64(sha256(kPageStyle)));
}

std::string_view mood_of(int exit_status) {
  switch (exit_status) {
    case kExitSound:
      return "good";
    case kExitLeaks:
    case kExitNotQcow2:
      return "warning";
    default:
      return "bad";
  }
}

std::string fact(std::string_view label, const std::string& html) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", label, html);
}

std::string facts(const Report& report) {
  const Counters& counters = report.counters;
  std::string html = fact("File size", human_bytes(report.image_bytes));
  if (report.header_usable) {
    html += fact("Virtual size", human_bytes(report.header.size));
    html += fact("Cluster size", human_bytes(std::uint64_t{1} << report.header.cluster_bits));
    html += fact("Allocated",
                 fmt::format("{} of {} clusters", counters.allocated_clusters, counters.total_clusters));
  }
  if (report.header_usable && report.header.has_data_file())
    html += fact("Data file", report.data_file_path.empty() ? "NOT EXAMINED"
                              : report.data_file_examined   ? "examined"
                                                            : "length examined");
  html += fact("Errors", fmt::format("{}", counters.corruptions));
  html += fact("Leaks", fmt::format("{}", counters.leaks));
  html += fact("Not examined", counted(counters.check_errors, "place", "places"));
  html += fact("Notices", fmt::format("{}", counters.notices));
  return "<dl class=\"facts\">\n" + html + "</dl>\n";
}

std::string header_section(const Report& report, Judging judging) {
  return fmt::format(
      "<header class=\"verdict {}\">\n<p class=\"program\">cowvet report</p>\n<h1>{}</h1>\n"
      "<p class=\"sentence\">{}</p>\n{}</header>\n",
      mood_of(exit_status_of(report, judging)), html_text(report.image_name),
      html_text(verdict_sentence(report, judging), kLongestFinding), facts(report));
}

// Filled by the script.
std::string map_section(std::string_view id, std::string_view title, std::string_view about) {
  return fmt::format(
      "<section class=\"card map\" id=\"{}-map\">\n<h2>{}</h2>\n<p class=\"about\">{}</p>\n"
      "<noscript><p>The map needs scripts: nothing is loaded from anywhere.</p></noscript>\n</section>\n",
      id, title, about);
}

std::string links(const Place& place) {
  std::string html;
  if (place.file == File::image && (place.structure != Structure::none || place.length != 0))
    html += file_link(place.offset, place.length, fmt::format("file {:#x}", place.offset));
  if (place.guest) html += disk_link(*place.guest, fmt::format("disk {:#x}", place.guest->offset));
  return html;
}

std::string finding_item(const Finding& finding) {
  std::string text = describe(finding, 0);
  text.pop_back();  // the line feed
  std::string html =
      fmt::format(R"(<li data-severity="{}"><span class="text">)", to_string(finding.severity));
  for (std::size_t end = 0; end != std::string::npos; text.erase(0, end + 1)) {
    end = text.find('\n');
    html += html_text(std::string_view(text).substr(0, end), kLongestFinding);
    if (end != std::string::npos) html += "<br>";
  }
  html += "</span>" + links(finding.place);
  if (finding.other) html += links(*finding.other);
  return html + "</li>\n";
}

std::string rule_section(const Report& report, const RuleTotal& total, std::size_t& bytes_left) {
  std::string items;
  std::uint64_t shown = 0;
  for (const Finding& finding : std::ranges::equal_range(report.findings, total.rule, {}, &Finding::rule)) {
    const std::string item = finding_item(finding);
    if (item.size() > bytes_left) break;
    bytes_left -= item.size();
    items += item;
    ++shown;
  }
  const std::string more =
      shown < total.findings
          ? fmt::format("<p class=\"more\">and {} more: <code>cowvet check --limit 0</code> lists all</p>\n",
                        total.findings - shown)
          : "";
  return fmt::format(
      "<article class=\"rule {0}\">\n<h3>{1} <span class=\"badge\">{0}</span> <span "
      "class=\"count\">{2}</span></h3>\n"
      "<p>{3} {4}</p>\n<p class=\"advice\">{5}</p>\n<ul class=\"findings\">\n{6}</ul>\n{7}</article>\n",
      to_string(total.worst), total.rule->id, counted(total.total, "time", "times"),
      html_text(total.rule->condition, 2000), html_text(total.rule->meaning, 2000),
      html_text(advice_of(total, report), 2000), items, more);
}

std::string findings_section(const Report& report) {
  std::vector<RuleTotal> totals = report.totals;
  std::ranges::stable_sort(totals, std::greater<>(), &RuleTotal::worst);
  std::size_t bytes_left = kMostFindingBytes;
  std::string html = "<section class=\"card\" id=\"findings\">\n<h2>Findings</h2>\n";
  if (totals.empty()) html += "<p>There are none.</p>\n";
  for (const RuleTotal& total : totals) html += rule_section(report, total, bytes_left);
  return html + "</section>\n";
}

std::string digest_row(std::string_view label, const std::optional<Sha256Digest>& digest) {
  return fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", label,
                     digest ? fmt::format("<code>{}</code>", to_hex(*digest)) : "not computed");
}

// What --evidence keeps of a file, as two rows.
std::string evidence_rows(const Evidence& evidence) {
  const std::string label =
      fmt::format("{} {}", to_string(evidence.file), html_text(evidence.path, kLongestFinding));
  const auto row = [&](std::string_view when, const FileState& state, std::string_view remark) {
    return fmt::format("<tr><th scope=\"row\">{}, {}</th><td><code>{}</code>{}</td></tr>\n", label, when,
                       state.sha256.empty() ? "could not be read" : state.sha256, remark);
  };
  return row("before", evidence.before, "") +
         row("after", evidence.after,
             evidence.changed() ? " <strong>it changed while it was examined</strong>" : "");
}

std::string digests_section(const Report& report, const ImageDigests& digests) {
  std::string rows;
  for (const Evidence& evidence : report.evidence) rows += evidence_rows(evidence);
  if (rows.empty()) rows = digest_row("image", digests.image);
  return fmt::format(
      "<section class=\"card\" id=\"digests\">\n<h2>SHA-256</h2>\n<table>\n{}{}</table>\n"
      "<p class=\"about\">Of the whole file, as <code>sha256sum</code> gives it; and of every cluster that "
      "holds "
      "metadata, in the order of the file.</p>\n</section>\n",
      rows, digest_row("metadata", digests.metadata));
}

}  // namespace

std::string html_report(Context& context, const Report& report, Judging judging,
                        const ImageDigests& digests) {
  std::string page = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  page += fmt::format("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n",
                      content_security_policy());
  page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  page += "<meta name=\"color-scheme\" content=\"light dark\">\n";
  page += fmt::format("<title>{} - cowvet report</title>\n", html_text(report.image_name));
  page += fmt::format("<style>{}</style>\n</head>\n<body>\n<main>\n", kPageStyle);
  page += header_section(report, judging);
  page += map_section("file", "Image file", "What each cluster of the file is for.");
  page += map_section("disk", "Guest disk",
                      report.backing_name.empty() ? "What the guest finds on its disk."
                                                  : "What the guest finds on its disk. Where nothing is "
                                                    "allocated, it reads the backing file.");
  page += findings_section(report);
  page += "<section class=\"card\" id=\"structure\">\n<h2>Structure</h2>\n" +
          structure_tree(context, report) + "</section>\n";
  page += digests_section(report, digests);
  page += "</main>\n<script type=\"application/json\" id=\"map-data\">" + map_data(context) + "</script>\n";
  return page + fmt::format("<script>{}</script>\n</body>\n</html>\n", kPageScript);
}

}  // namespace cowvet
