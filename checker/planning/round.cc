#include "checker/planning/round.h"

#include <fmt/format.h>

#include <algorithm>

namespace cowvet {

bool Round::may(const Finding& finding, Remedy remedy) {
  const bool allowed = remedy == Remedy::safe || remedy == Remedy::choice ||
                       (remedy == Remedy::metadata && options.allow_metadata) ||
                       (remedy == Remedy::lossy && options.allow_lossy);
  if (!allowed)
    consent_needed.insert(fmt::format("{}: needs --allow {}", finding.rule->id, to_string(remedy)));
  return allowed;
}

bool Round::is_asked_for(const Finding& finding) const {
  return finding.severity != Severity::notice || options.only.contains(std::string(finding.rule->id));
}

void Round::release(std::uint64_t offset, std::uint64_t length) {
  const unsigned bits = context.geometry.cluster_bits;
  const std::uint64_t first = offset >> bits;
  if (length != 0) released.add(first, ((offset + length - 1) >> bits) - first + 1);
}

std::string Round::chosen(RuleId rule, std::string_view by_default) const {
  const auto choice = options.choices.find(std::string(rule->id));
  return choice == options.choices.end() ? std::string(by_default) : choice->second;
}

std::vector<const Finding*> Round::of_rule(RuleId rule) const {
  // Findings are sorted by rule.
  const auto range = std::ranges::equal_range(findings, rule, {}, &Finding::rule);
  std::vector<const Finding*> all;
  for (const Finding& finding : range) all.push_back(&finding);
  return all;
}

const SnapshotRecord* Round::snapshot_of(const std::string& owner) const {
  const auto record = std::ranges::find(context.snapshots, owner, &SnapshotRecord::owner);
  return record == context.snapshots.end() ? nullptr : &*record;
}

std::vector<const Finding*> Round::lost_l2_tables() const {
  std::vector<const Finding*> lost = of_rule(rule("refcount/orphan-mapping"));
  std::erase_if(lost, [](const Finding* other) { return other->place.structure != Structure::l2_table; });
  return lost;
}

bool Round::doubts_l1_table() const {
  return context.findings.added(rule("header/l1-implausible")) != 0;
}

bool Round::may_lower_refcounts() const {
  if (!context.unknown_references.empty() || context.findings.total(Severity::unchecked) != 0) return false;
  return context.findings.added(rule("refcount/orphan-mapping")) == 0 ||
         chosen(rule("refcount/orphan-mapping"), "keep") == "free";
}

}  // namespace cowvet
