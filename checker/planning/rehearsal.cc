#include "checker/planning/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/planning/fixed_companion.h"
#include "checker/planning/guest_view.h"
#include "checker/planning/lost_counts.h"
#include "checker/planning/metadata_hash.h"
#include "checker/planning/planned_files.h"

namespace cowvet {
namespace {

constexpr bool is_about_leaks(RuleId rule_id) {
  return rule_id == rule("refcount/leak") || rule_id == rule("refcount/too-high");
}

void examine(Context& context) {
  context.keep_references = true;
  run_passes(context);
  Report report = finish_report(context);
  context.report = std::move(report);
}

// Whether `device` is what the plan was made for; empty: it is, as far as this shows.
std::string find_other_file(const Binding& binding, const Device& device) {
  if (binding.identity && device.identity() && binding.identity != device.identity())
    return fmt::format("the plan was made for another file than {}", device.name());
  if (binding.size_bytes != device.size_bytes())
    return fmt::format("{} has changed since the plan was made: it had {} bytes, now it has {}",
                       device.name(), binding.size_bytes, device.size_bytes());
  return "";
}

// Whether the files are those of the plan, in the same state.
std::string find_changed_file(const Plan& plan, const Context& before, const Device* data_file) {
  if (std::string other = find_other_file(plan.image, before.image); !other.empty()) return other;
  if (plan.data_file.has_value() != (data_file != nullptr))
    return plan.data_file ? fmt::format("the plan is about a data file, {}, which is not open: {}",
                                        plan.data_file->path, before.data_file.why)
                          : "the plan was made without the data file, which is there now";
  if (data_file)
    if (std::string other = find_other_file(*plan.data_file, *data_file); !other.empty()) return other;
  if (hash_metadata(before) != plan.image.metadata_hash)
    return fmt::format("the metadata of {} has changed since the plan was made", before.image.name());
  return "";
}

std::string refuse(const Plan& plan, const Context& before, const Inputs& inputs, const Options& check,
                   Progress& progress) {
  const bool has_data_file = before.data_file.state == Companion::State::open;
  const Device* data_file = has_data_file ? before.data_file.device.get() : nullptr;
  if (std::string changed = find_changed_file(plan, before, data_file); !changed.empty()) return changed;
  if (!plan.unfit.empty()) return "the plan is unfit: " + plan.unfit;
  PlannedFiles files(inputs.image, data_file);
  if (std::string wrong = files.apply(plan); !wrong.empty()) return wrong;
  const OpenCompanion companion =
      data_file ? FixedCompanion(before.data_file, files.data_file()) : inputs.open_data_file;
  const Inputs edited{files.image(), companion, inputs.open_backing};
  Options all = check;
  all.findings_per_rule = 0;
  Context after(edited, all, progress);
  examine(after);
  if (std::string other = find_difference(plan.remaining, after.report.totals); !other.empty())
    return "the rehearsal does not end as the plan says: " + other;
  if (!after.report.header_usable) return "the header does not allow to look behind it";
  if (!before.report.header_usable) return "";  // nothing could be seen, so nothing can be worse
  std::set<RuleId> found_before;
  for (const RuleTotal& total : before.report.totals) found_before.insert(total.rule);
  return find_harm(before, after, found_before, plan.steps);
}

}  // namespace

std::string find_difference(const std::vector<RuleTotal>& remaining, const std::vector<RuleTotal>& found) {
  std::map<RuleId, std::pair<RuleTotal, RuleTotal>> by_rule;  // as planned, as found
  const auto at = [&](RuleId id) -> auto& {
    return by_rule.try_emplace(id, RuleTotal{.rule = id}, RuleTotal{.rule = id}).first->second;
  };
  for (const RuleTotal& total : remaining) at(total.rule).first = total;
  for (const RuleTotal& total : found) at(total.rule).second = total;
  for (const auto& [id, totals] : by_rule) {
    const auto& [planned, there] = totals;
    if (planned.findings != there.findings || planned.total != there.total)
      return fmt::format("{} was to be found {} times, and is found {} times", id->id, planned.total,
                         there.total);
  }
  return "";
}

std::string find_harm(const Context& before, const Context& after, const std::set<RuleId>& found_before,
                      const std::vector<Step>& steps) {
  // What is left must have been there before: a repair makes nothing worse.
  std::set<RuleId> found = found_before;
  for (const Step& step : steps) found.insert(step.rule);
  const bool not_all_counts = !before.refcounts || !before.refcounts->complete ||
                              !std::ranges::all_of(before.refcounts->blocks, &RefcountBlock::believed);
  const bool lost_before = before.findings.added(rule("refcount/orphan-mapping")) != 0 ||
                           before.has_empty_l2_table || not_all_counts || may_hold_lost_data(found);
  const bool unknown =
      before.findings.total(Severity::unchecked) != 0 || after.findings.total(Severity::unchecked) != 0;
  const auto may_follow = [&](RuleId id) {
    // Leaks are called lost data as long as something is unknown, and leaks when that is settled; and what
    // lost its refcount as well as its reference gets one. While something is unknown nothing is freed, not
    // even what the plan gave up.
    if (is_about_leaks(id) || id == rule("refcount/orphan-mapping")) return lost_before || unknown;
    if (id == rule("header/l1-implausible")) return unknown;
    // Two tables instead of a shared one share a cluster that could not be read and copied.
    if (id == rule("l2/cross-linked")) return found.contains(rule("l1/shared"));
    return id == rule("file/unreadable");  // says nothing of the image
  };
  for (const Finding& finding : after.report.findings) {
    const bool is_new = finding.severity != Severity::notice && !found_before.contains(finding.rule);
    if (is_new && !may_follow(finding.rule))
      return fmt::format("the rehearsal ended with a new finding: {}, {}", finding.rule->id, finding.detail);
  }
  return compare_guest_views(before, after, steps).value_or("");
}

Rehearsal rehearse(const Inputs& inputs, const Plan& plan, Options check, Progress& progress) {
  check.deep = plan.deep;
  Context before(inputs, check, progress);
  examine(before);
  std::string refusal = refuse(plan, before, inputs, check, progress);
  return {std::move(before.report), std::move(refusal)};
}

}  // namespace cowvet
