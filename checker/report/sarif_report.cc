#include "checker/report/sarif_report.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <utility>

#include "checker/report/escape.h"
#include "checker/report/json_values.h"
#include "checker/report/place_text.h"
#include "checker/report/sarif_fix.h"
#include "checker/report/sarif_uri.h"

namespace cowvet {
namespace {

using Json = OrderedJson;

std::string_view level_of(Severity severity) {
  switch (severity) {
    case Severity::notice:
      return "note";
    case Severity::leak:
      return "warning";
    case Severity::corruption:
    case Severity::unchecked:
      return "error";
  }
  return "error";
}

// "refcount/too-low" -> "RefcountTooLow", as SARIF wants the names of rules.
std::string name_of(std::string_view id) {
  std::string name;
  bool capital = true;
  for (const char c : id) {
    if (c != '/' && c != '-') name += capital && c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    capital = c == '/' || c == '-';
  }
  return name;
}

Json rule_json(const Rule& rule) {
  return {{"id", rule.id},
          {"name", name_of(rule.id)},
          {"shortDescription", {{"text", rule.condition}}},
          {"fullDescription", {{"text", fmt::format("{} {}", rule.condition, rule.meaning)}}},
          {"help", {{"text", fmt::format("{}\nRequired by: {}\n", rule.advice, rule.clause)}}},
          {"defaultConfiguration", {{"level", level_of(rule.severity)}}},
          {"properties",
           {{"tags", Json::array({rule.id.substr(0, rule.id.find('/'))})},
            {"severity", to_string(rule.severity)},
            {"remedy", to_string(rule.remedy)}}}};
}

Json location_json(const Report& report, const Place& place) {
  Json physical = {{"artifactLocation", {{"uri", uri_of(report, place.file)}}}};
  if (place.structure != Structure::none || place.offset != 0 || place.length != 0)
    physical["region"] = {{"byteOffset", place.offset}, {"byteLength", place.length}};
  Json location = {{"physicalLocation", physical}};
  std::string structure(to_string(place.structure));
  if (!place.owner.empty()) structure += " of " + escape_for_terminal(place.owner);
  location["logicalLocations"] = Json::array({{{"fullyQualifiedName", structure}, {"kind", "structure"}}});
  location["message"] = {{"text", describe(place)}};
  return location;
}

// The same finding in the next run has the same number, though numbers and texts in it may change.
std::string fingerprint(const Report& report, const Finding& finding) {
  const std::string key =
      fmt::format("{}\n{}\n{}", finding.rule->id, report.image_name, describe(finding.place));
  return fmt::format("{:016x}", XXH3_64bits(key.data(), key.size()));
}

Json properties_json(const Finding& finding) {
  Json json = {{"severity", to_string(finding.severity)}, {"remedy", to_string(finding.rule->remedy)}};
  json["count"] = finding.count;
  if (finding.expected) json["expected"] = *finding.expected;
  if (finding.found) json["found"] = *finding.found;
  if (const auto& guest = finding.place.guest) {
    json["guestOffset"] = guest->offset;
    json["guestLength"] = guest->length;
  }
  return json;
}

Json artifact_json(const std::string& uri, std::uint64_t length_bytes) {
  return {{"location", {{"uri", uri}}}, {"length", length_bytes}, {"roles", {"analysisTarget"}}};
}

Json verdict_json(const Report& report, Judging judging) {
  return {{"verdict", to_string(verdict_of(report))},
          {"status", exit_status_of(report, judging)},
          {"summary", verdict_sentence(report, judging)}};
}

}  // namespace

std::string SarifWriter::begin() const {
  Json rules = Json::array();
  for (const Rule& rule : kRules) rules.push_back(rule_json(rule));
  const Json driver = {{"name", "cowvet"}, {"version", COWVET_VERSION}, {"rules", rules}};
  return fmt::format(
      R"({{"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
"version":"2.1.0","runs":[{{"tool":{{"driver":{}}},
"results":[)",
      dump_json(driver));
}

std::string SarifWriter::image(const Report& report, const Plan* plan) {
  status_ = worse_exit_status(status_, exit_status_of(report, judging_));
  add_artifacts(report);
  SarifFix fix;
  const Finding* carrier = nullptr;
  if (plan != nullptr) {
    fix = sarif_fix(report, *plan);
    if (!fix.json.empty()) carrier = carrier_of(report, *plan);
  }
  for (const std::string& remark : fix.remarks) notify("note", report.image_name, remark);
  std::string text;
  for (const Finding& finding : report.findings)
    text += result(report, finding, &finding == carrier ? fix.json : "");
  return text;
}

std::string SarifWriter::failure(std::string_view image_name, std::string_view error) {
  status_ = worse_exit_status(status_, kExitIncomplete);
  failed_ = true;
  notify("error", image_name, error);
  return "";
}

std::string SarifWriter::end() const {
  return fmt::format(
      "],\n\"artifacts\":[{}],\n\"invocations\":[{{\"executionSuccessful\":{},\"exitCode\":{},"
      "\"toolExecutionNotifications\":[{}]}}],\n\"columnKind\":\"unicodeCodePoints\"}}]}}\n",
      fmt::join(artifacts_, ",\n"), !failed_, status_, fmt::join(notifications_, ",\n"));
}

// The files of --evidence, with the digests of what was examined; without it, the image.
void SarifWriter::add_artifacts(const Report& report) {
  bool has_image = false;
  for (const Evidence& evidence : report.evidence) {
    Json json = artifact_json(file_uri(evidence.path), evidence.before.size_bytes);
    if (!evidence.before.sha256.empty()) json["hashes"] = {{"sha-256", evidence.before.sha256}};
    if (evidence.file == File::image) json["properties"] = verdict_json(report, judging_);
    json["properties"]["evidence"] = evidence_json(evidence);
    has_image = has_image || evidence.file == File::image;
    add_artifact(dump_json(json));
  }
  if (has_image) return;
  Json json = artifact_json(uri_of(report, File::image), report.image_bytes);
  json["properties"] = verdict_json(report, judging_);
  add_artifact(dump_json(json));
}

// They have to be unique: an image may be named twice, and a file be the backing file of several.
void SarifWriter::add_artifact(std::string artifact) {
  const auto [text, is_new] = known_artifacts_.insert(std::move(artifact));
  if (is_new) artifacts_.push_back(*text);
}

void SarifWriter::notify(std::string_view level, std::string_view image_name, std::string_view message) {
  const Json location = {{"physicalLocation", {{"artifactLocation", {{"uri", file_uri(image_name)}}}}}};
  notifications_.push_back(dump_json({{"level", level},
                                      {"message", {{"text", escape_for_terminal(message)}}},
                                      {"locations", Json::array({location})}}));
}

std::string SarifWriter::result(const Report& report, const Finding& finding, const std::string& fix) {
  std::string message = fmt::format("{}\n{}", finding.rule->condition, describe(finding, 0));
  message.pop_back();  // the line feed
  Json json = {{"ruleId", finding.rule->id},
               {"ruleIndex", finding.rule.row()},
               {"level", level_of(finding.severity)},
               {"message", {{"text", message}}},
               {"locations", Json::array({location_json(report, finding.place)})}};
  if (finding.other) json["relatedLocations"] = Json::array({location_json(report, *finding.other)});
  json["partialFingerprints"] = {{"finding/v1", fingerprint(report, finding)}};
  json["properties"] = properties_json(finding);
  std::string text = dump_json(json);
  // A fix may be large: it is not kept a second time as a JSON value.
  if (!fix.empty()) text.replace(text.size() - 1, 1, ",\"fixes\":[" + fix + "]}");
  return std::exchange(any_result_, true) ? ",\n" + text : "\n" + text;
}

}  // namespace cowvet
