// The outcome for programs: the keys of `qemu-img check -r --output=json`, and what was found, planned and
// left in full.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "checker/report/json_report.h"
#include "repair/cli/outcome_report.h"

namespace cowvet {
namespace {

using Json = nlohmann::ordered_json;

Json report_json(const std::optional<Report>& report, Judging judging) {
  if (!report) return {};
  return Json::parse(json_report(*report, judging, JsonLayout::line));
}

Json totals_json(const std::vector<RuleTotal>& totals) {
  Json list = Json::array();
  for (const RuleTotal& total : totals)
    list.push_back({{"rule", total.rule->id}, {"findings", total.findings}, {"count", total.total}});
  return list;
}

Json step_json(const Step& step) {
  Json impact = Json::array();
  for (const GuestImpact& part : step.impact)
    impact.push_back({{"guest-offset", part.range.offset},
                      {"guest-length", part.range.length},
                      {"owner", part.owner},
                      {"before", part.before},
                      {"after", part.after}});
  std::uint64_t bytes = 0;
  for (const Write& write : step.writes) bytes += write.new_bytes.size();
  return {{"rule", step.rule->id},      {"remedy", to_string(step.remedy)},
          {"outcome", step.outcome},    {"why", step.why},
          {"count", step.count},        {"bytes-written", bytes},
          {"impact", std::move(impact)}};
}

Json plan_json(const std::optional<Plan>& plan) {
  if (!plan) return {};
  Json steps = Json::array();
  for (const Step& step : plan->steps) steps.push_back(step_json(step));
  return {{"steps", std::move(steps)},
          {"remaining", totals_json(plan->remaining)},
          {"consent-needed", plan->consent_needed},
          {"unfit", plan->unfit},
          {"image-size-after", plan->image_bytes_after}};
}

// As qemu-img counts: what was there and is not there any more.
std::uint64_t fewer(std::uint64_t before, std::uint64_t after) {
  return before > after ? before - after : 0;
}

Json or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

}  // namespace

std::string outcome_json(const RepairOptions& options, const Outcome& outcome) {
  const Judging judging{.must_be_qcow2 = !options.image.format.empty()};
  const std::optional<Report>& now = outcome.left ? outcome.left : outcome.found;
  const Counters counters = now ? now->counters : Counters{.check_errors = 1};
  const Counters before = outcome.found ? outcome.found->counters : counters;
  const Json json = {{"filename", options.image_path},
                     {"format", now && now->is_qcow2 ? Json("qcow2") : Json()},
                     {"ending", to_string(outcome.ending)},
                     {"status", exit_status_of(outcome, judging)},
                     {"message", outcome.message},
                     {"check-errors", counters.check_errors},
                     {"image-end-offset", counters.image_end_offset},
                     {"corruptions", counters.corruptions},
                     {"leaks", counters.leaks},
                     {"corruptions-fixed", fewer(before.corruptions, counters.corruptions)},
                     {"leaks-fixed", fewer(before.leaks, counters.leaks)},
                     {"undo-file", or_null(outcome.undo_file)},
                     {"output", or_null(outcome.output)},
                     {"discarded-bytes", outcome.discarded_bytes ? Json(*outcome.discarded_bytes) : Json()},
                     {"found", report_json(outcome.found, judging)},
                     {"plan", plan_json(outcome.plan)},
                     {"left", report_json(outcome.left, judging)}};
  return json.dump(4, ' ', true, Json::error_handler_t::replace) + '\n';
}

}  // namespace cowvet
