#include "checker/analysis/findings.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace cowvet {

std::string_view to_string(File file) {
  switch (file) {
    case File::image:
      return "image";
    case File::data_file:
      return "data-file";
    case File::backing_file:
      return "backing-file";
  }
  return "";
}

std::string_view to_string(Structure structure) {
  switch (structure) {
    case Structure::none:
      return "file";
    case Structure::header:
      return "header";
    case Structure::header_extension:
      return "header extension";
    case Structure::l1_table:
      return "L1 table";
    case Structure::l2_table:
      return "L2 table";
    case Structure::refcount_table:
      return "refcount table";
    case Structure::refcount_block:
      return "refcount block";
    case Structure::snapshot_table:
      return "snapshot table";
    case Structure::snapshot_l1_table:
      return "snapshot L1 table";
    case Structure::bitmap_directory:
      return "bitmap directory";
    case Structure::bitmap_table:
      return "bitmap table";
    case Structure::bitmap_data:
      return "bitmap data";
    case Structure::luks_header:
      return "LUKS header";
    case Structure::data:
      return "data";
    case Structure::compressed_data:
      return "compressed data";
  }
  return "";
}

bool Findings::is_behind_kept(RuleId rule, File file, Structure structure, std::uint64_t offset) const {
  const OfRule& of_rule = by_rule_[rule.row()];
  if (limit_ == 0 || of_rule.kept.size() < limit_) return false;
  const Finding& last = *of_rule.kept.rbegin();
  return last.severity == rule->severity &&
         std::tie(file, structure, offset) >
             std::tie(last.place.file, last.place.structure, last.place.offset);
}

void Findings::tally(RuleId rule, Severity severity, std::uint64_t findings, std::uint64_t total) {
  by_rule_[rule.row()].added += findings;
  by_rule_[rule.row()].total += total;
  by_rule_[rule.row()].worst = std::max(by_rule_[rule.row()].worst, severity);
  by_severity_[static_cast<std::size_t>(severity)] += total;
}

void Findings::keep(Finding finding) {
  std::multiset<Finding>& kept = by_rule_[finding.rule.row()].kept;
  kept.insert(std::move(finding));
  if (limit_ != 0 && kept.size() > limit_) kept.erase(std::prev(kept.end()));
}

void Findings::add(Finding finding) {
  const std::scoped_lock lock(mutex_);
  tally(finding.rule, finding.severity, 1, finding.count);
  keep(std::move(finding));
}

void Findings::absorb(Findings&& other) {
  const std::scoped_lock lock(mutex_, other.mutex_);
  for (std::uint16_t row = 0; row < kRuleCount; ++row) {
    OfRule& theirs = other.by_rule_[row];
    by_rule_[row].added += theirs.added;
    by_rule_[row].total += theirs.total;
    by_rule_[row].worst = std::max(by_rule_[row].worst, theirs.worst);
    while (!theirs.kept.empty()) keep(std::move(theirs.kept.extract(theirs.kept.begin()).value()));
    theirs = {};
  }
  for (std::size_t i = 0; i < by_severity_.size(); ++i)
    by_severity_[i] += std::exchange(other.by_severity_[i], 0);
}

std::vector<Finding> Findings::sorted() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Finding> all;
  for (const OfRule& of_rule : by_rule_) all.insert(all.end(), of_rule.kept.begin(), of_rule.kept.end());
  return all;
}

std::vector<Finding> Findings::take_sorted() {
  const std::scoped_lock lock(mutex_);
  std::size_t count = 0;
  for (const OfRule& of_rule : by_rule_) count += of_rule.kept.size();
  std::vector<Finding> all;
  all.reserve(count);
  for (OfRule& of_rule : by_rule_)
    while (!of_rule.kept.empty())
      all.push_back(std::move(of_rule.kept.extract(of_rule.kept.begin()).value()));
  return all;
}

std::uint64_t Findings::added(RuleId rule) const {
  const std::scoped_lock lock(mutex_);
  return by_rule_[rule.row()].added;
}

std::uint64_t Findings::total(Severity severity) const {
  const std::scoped_lock lock(mutex_);
  return by_severity_[static_cast<std::size_t>(severity)];
}

std::uint64_t Findings::total(RuleId rule) const {
  const std::scoped_lock lock(mutex_);
  return by_rule_[rule.row()].total;
}

Severity Findings::worst(RuleId rule) const {
  const std::scoped_lock lock(mutex_);
  return by_rule_[rule.row()].worst;
}

}  // namespace cowvet
