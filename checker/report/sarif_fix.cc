#include "checker/report/sarif_fix.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "checker/report/base64.h"
#include "checker/report/escape.h"
#include "checker/report/json_values.h"
#include "checker/report/numbers.h"
#include "checker/report/plan_fix.h"
#include "checker/report/sarif_uri.h"

namespace cowvet {
namespace {

using Json = OrderedJson;

// Nothing: it is too large.
std::optional<Json> change_json(const Plan& plan, File target, const Binding& file, std::uint64_t bytes_after,
                                const std::string& uri) {
  const auto replacements = replacements_of(plan, target, file.size_bytes, bytes_after, kLargestFixBytes);
  if (!replacements) return std::nullopt;
  Json list = Json::array();
  for (const Replacement& replacement : *replacements)
    list.push_back(
        {{"deletedRegion", {{"byteOffset", replacement.offset}, {"byteLength", replacement.deleted_bytes}}},
         {"insertedContent", {{"binary", base64(replacement.inserted)}}}});
  return Json{{"artifactLocation", {{"uri", uri}}}, {"replacements", list}};
}

// The same.
std::optional<Json> changes_json(const Report& report, const Plan& plan) {
  Json changes = Json::array();
  const auto add = [&](File target, const Binding& file, std::uint64_t bytes_after) {
    auto change = change_json(plan, target, file, bytes_after, uri_of(report, target));
    if (!change) return false;
    if (!(*change)["replacements"].empty()) changes.push_back(*std::move(change));
    return true;
  };
  if (!add(File::image, plan.image, plan.image_bytes_after)) return std::nullopt;
  if (plan.data_file && !add(File::data_file, *plan.data_file, plan.data_file_bytes_after))
    return std::nullopt;
  return changes;
}

std::string describe_steps(const Plan& plan) {
  std::string text = fmt::format("The whole plan, {}:", counted(plan.steps.size(), "step", "steps"));
  for (const Step& step : plan.steps)
    text += fmt::format("\n{}: {}", step.rule->id, escape_for_terminal(step.why));
  return text;
}

}  // namespace

SarifFix sarif_fix(const Report& report, const Plan& plan) {
  SarifFix fix;
  const std::string name = escape_for_terminal(report.image_name);
  for (const std::string& finding : plan.consent_needed)
    fix.remarks.push_back(fmt::format("{}: the fix leaves this alone for want of consent: {}", name,
                                      escape_for_terminal(finding)));
  if (!plan.unfit.empty()) {
    fix.remarks.push_back(fmt::format("{} has no fix: {}", name, escape_for_terminal(plan.unfit)));
    return fix;
  }
  const auto changes = changes_json(report, plan);
  if (!changes) {
    fix.remarks.push_back(fmt::format(
        "{} has no fix here, because it writes more than {}; 'cowvet check --plan FILE' has the plan", name,
        human_bytes(kLargestFixBytes)));
  } else if (!changes->empty()) {
    fix.json = dump_json({{"description", {{"text", describe_steps(plan)}}}, {"artifactChanges", *changes}});
  }
  return fix;
}

const Finding* carrier_of(const Report& report, const Plan& plan) {
  for (const Finding& finding : report.findings)
    if (std::ranges::find(plan.steps, finding.rule, &Step::rule) != plan.steps.end()) return &finding;
  return report.findings.empty() ? nullptr : &report.findings.front();
}

}  // namespace cowvet
