#include "checker/report/json_values.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <optional>

namespace cowvet {
namespace {

using Json = OrderedJson;

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json place_json(const Place& place) {
  Json json = {{"file", to_string(place.file)},
               {"structure", to_string(place.structure)},
               {"offset", place.offset},
               {"length", place.length},
               {"l1-index", or_null(place.l1_index)},
               {"l2-index", or_null(place.l2_index)},
               {"guest-offset", place.guest ? Json(place.guest->offset) : Json()},
               {"guest-length", place.guest ? Json(place.guest->length) : Json()},
               {"owner", place.owner}};
  return json;
}

Json data_file_json(const Report& report) {
  if (!report.header_usable || !report.header.has_data_file()) return {};
  const auto& path = report.data_file_path;
  return {{"name", report.data_file_name.empty() ? Json() : Json(report.data_file_name)},
          {"path", path.empty() ? Json() : Json(path)},
          {"examined", report.data_file_examined}};
}

Json backing_file_json(const Report& report) {
  if (report.backing_name.empty()) return {};
  return {{"name", report.backing_name},
          {"format", report.backing_format.empty() ? Json() : Json(report.backing_format)},
          {"examined", report.backing_examined}};
}

// "2026-11-23T02:54:13.123456789Z".
std::string utc(std::int64_t nanoseconds) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t fraction = (nanoseconds % kSecond + kSecond) % kSecond;
  const std::chrono::sys_seconds seconds{std::chrono::seconds((nanoseconds - fraction) / kSecond)};
  return fmt::format("{:%FT%T}.{:09}Z", seconds, fraction);
}

Json file_state_json(const FileState& state) {
  Json json = {{"size", state.size_bytes}, {"sha256", state.sha256.empty() ? Json() : Json(state.sha256)}};
  json["accessed"] = state.times ? Json(utc(state.times->accessed)) : Json();
  json["modified"] = state.times ? Json(utc(state.times->modified)) : Json();
  json["status-changed"] = state.times ? Json(utc(state.times->status_changed)) : Json();
  return json;
}

// The counters of `qemu-img check`, which leaves out those that are zero.
void add_counters(Json& json, const Counters& counters) {
  json["check-errors"] = counters.check_errors;
  json["image-end-offset"] = counters.image_end_offset;
  json["corruptions"] = counters.corruptions;
  json["leaks"] = counters.leaks;
  json["total-clusters"] = counters.total_clusters;
  json["allocated-clusters"] = counters.allocated_clusters;
  json["fragmented-clusters"] = counters.fragmented_clusters;
  json["compressed-clusters"] = counters.compressed_clusters;
  json["notices"] = counters.notices;
  json["l2-tables"] = counters.l2_tables;
  json["snapshots"] = counters.snapshots;
  json["bitmaps"] = counters.bitmaps;
}

Json rules_json(const Report& report) {
  std::map<RuleId, std::uint64_t> listed;
  for (const Finding& finding : report.findings) ++listed[finding.rule];
  Json rules = Json::array();
  for (const RuleTotal& total : report.totals)
    rules.push_back({{"rule", total.rule->id},
                     {"severity", to_string(total.worst)},
                     {"remedy", to_string(total.rule->remedy)},
                     {"count", total.total},
                     {"findings", total.findings},
                     {"findings-listed", listed[total.rule]}});
  return rules;
}

}  // namespace

std::string dump_json(const Json& value, int indent) {
  return value.dump(indent, ' ', true, Json::error_handler_t::replace);
}

Json evidence_json(const Evidence& evidence) {
  return {{"file", to_string(evidence.file)},
          {"path", evidence.path},
          {"changed", evidence.changed()},
          {"before", file_state_json(evidence.before)},
          {"after", file_state_json(evidence.after)}};
}

Json finding_json(const Finding& finding) {
  Json json = {{"rule", finding.rule->id}, {"severity", to_string(finding.severity)}};
  json.update(place_json(finding.place));
  json["other"] = finding.other ? place_json(*finding.other) : Json();
  json["count"] = finding.count;
  json["expected"] = or_null(finding.expected);
  json["found"] = or_null(finding.found);
  json["remedy"] = to_string(finding.rule->remedy);
  json["detail"] = finding.detail;
  return json;
}

Json head_json(const Report& report, Verdict verdict, int status, std::string_view summary) {
  Json json = {{"filename", report.image_name}, {"format", report.is_qcow2 ? Json("qcow2") : Json()}};
  json["verdict"] = to_string(verdict);
  json["status"] = status;
  json["summary"] = summary;
  add_counters(json, report.counters);
  json["virtual-size"] = report.header_usable ? Json(report.header.size) : Json();
  json["cluster-size"] = report.header_usable ? Json(std::uint64_t{1} << report.header.cluster_bits) : Json();
  json["data-file"] = data_file_json(report);
  json["backing-file"] = backing_file_json(report);
  json["kept-leaks"] = report.kept_leaks;
  json["unfinished-repair"] = report.unfinished_journal.empty() ? Json() : Json(report.unfinished_journal);
  for (const Evidence& evidence : report.evidence) json["evidence"].push_back(evidence_json(evidence));
  json["rules"] = rules_json(report);
  return json;
}

Json head_json(const Report& report, Judging judging) {
  return head_json(report, verdict_of(report), exit_status_of(report, judging),
                   verdict_sentence(report, judging));
}

Json failure_json(std::string_view image_name, std::string_view error) {
  Report report;
  report.image_name = image_name;
  report.counters.check_errors = 1;
  return head_json(report, Verdict::incomplete, kExitIncomplete, error);
}

}  // namespace cowvet
