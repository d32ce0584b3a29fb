#include "checker/report/sarif_report.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <optional>

#include "checker/report/base64.h"
#include "checker/report/escape.h"
#include "checker/report/json_values.h"
#include "checker/report/numbers.h"
#include "checker/report/place_text.h"
#include "checker/report/plan_fix.h"

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

// What a place's file is called here.
std::string uri_of(const Report& report, File file) {
  switch (file) {
    case File::image:
      return file_uri(report.image_name);
    case File::data_file:
      return file_uri(report.data_file_path.empty() ? report.data_file_name : report.data_file_path);
    case File::backing_file:
      return file_uri(report.backing_name);
  }
  return "";
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

std::optional<Json> change_json(const Plan& plan, File target, const Binding& file, std::uint64_t bytes_after,
                                const std::string& uri) {
  const auto replacements =
      replacements_of(plan, target, file.size_bytes, bytes_after, SarifWriter::kLargestFixBytes);
  if (!replacements) return std::nullopt;
  Json list = Json::array();
  for (const Replacement& replacement : *replacements)
    list.push_back(
        {{"deletedRegion", {{"byteOffset", replacement.offset}, {"byteLength", replacement.deleted_bytes}}},
         {"insertedContent", {{"binary", base64(replacement.inserted)}}}});
  return Json{{"artifactLocation", {{"uri", uri}}}, {"replacements", list}};
}

// Empty: the plan cannot be given as a fix.
std::string fix_json(const Report& report, const Plan& plan) {
  if (plan.empty() || !plan.unfit.empty()) return "";
  Json changes = Json::array();
  const auto add = [&](std::optional<Json> change) {
    if (!change) return false;
    if (!(*change)["replacements"].empty()) changes.push_back(*std::move(change));
    return true;
  };
  if (!add(change_json(plan, File::image, plan.image, plan.image_bytes_after, uri_of(report, File::image))))
    return "";
  if (plan.data_file && !add(change_json(plan, File::data_file, *plan.data_file, plan.data_file_bytes_after,
                                         uri_of(report, File::data_file))))
    return "";
  if (changes.empty()) return "";
  std::string text = fmt::format("The whole plan, {}:", counted(plan.steps.size(), "step", "steps"));
  for (const Step& step : plan.steps)
    text += fmt::format("\n{}: {}", step.rule->id, escape_for_terminal(step.why));
  return dump_json({{"description", {{"text", text}}}, {"artifactChanges", changes}});
}

// The first finding that the plan settles; it carries the fix. Else the first one at all.
const Finding* carrier_of(const Report& report, const Plan& plan) {
  for (const Finding& finding : report.findings)
    if (std::ranges::find(plan.steps, finding.rule, &Step::rule) != plan.steps.end()) return &finding;
  return report.findings.empty() ? nullptr : &report.findings.front();
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

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~/").contains(c);
}

}  // namespace

std::string file_uri(std::string_view path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  if (path.starts_with("//")) path.remove_prefix(path.find_first_not_of('/') - 1);
  for (const char c : path) {
    if (is_unreserved(c)) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

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
  artifacts_.push_back(dump_json({{"location", {{"uri", uri_of(report, File::image)}}},
                                  {"length", report.image_bytes},
                                  {"roles", {"analysisTarget"}},
                                  {"properties",
                                   {{"verdict", to_string(verdict_of(report))},
                                    {"status", exit_status_of(report, judging_)},
                                    {"summary", verdict_sentence(report, judging_)}}}}));
  std::string fix;
  const Finding* carrier = nullptr;  // of the fix
  if (plan != nullptr) {
    fix = fix_json(report, *plan);
    if (!fix.empty()) carrier = carrier_of(report, *plan);
  }
  std::string text;
  for (const Finding& finding : report.findings)
    text += result(report, finding, &finding == carrier ? fix : "");
  return text;
}

std::string SarifWriter::failure(std::string_view image_name, std::string_view error) {
  status_ = worse_exit_status(status_, kExitIncomplete);
  const Json location = {{"physicalLocation", {{"artifactLocation", {{"uri", file_uri(image_name)}}}}}};
  notifications_.push_back(dump_json({{"level", "error"},
                                      {"message", {{"text", escape_for_terminal(error)}}},
                                      {"locations", Json::array({location})}}));
  return "";
}

std::string SarifWriter::end() const {
  return fmt::format(
      "],\n\"artifacts\":[{}],\n\"invocations\":[{{\"executionSuccessful\":{},\"exitCode\":{},"
      "\"toolExecutionNotifications\":[{}]}}],\n\"columnKind\":\"unicodeCodePoints\"}}]}}\n",
      fmt::join(artifacts_, ",\n"), notifications_.empty(), status_, fmt::join(notifications_, ",\n"));
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
