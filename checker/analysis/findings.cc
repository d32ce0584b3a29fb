#include "checker/analysis/findings.h"

#include <algorithm>
#include <utility>

namespace cowvet {

std::string_view to_string(File file) {
  switch (file) {
    case File::image: return "image";
    case File::data_file: return "data-file";
    case File::backing_file: return "backing-file";
  }
  return "";
}

std::string_view to_string(Structure structure) {
  switch (structure) {
    case Structure::none: return "file";
    case Structure::header: return "header";
    case Structure::header_extension: return "header extension";
    case Structure::l1_table: return "L1 table";
    case Structure::l2_table: return "L2 table";
    case Structure::refcount_table: return "refcount table";
    case Structure::refcount_block: return "refcount block";
    case Structure::snapshot_table: return "snapshot table";
    case Structure::snapshot_l1_table: return "snapshot L1 table";
    case Structure::bitmap_directory: return "bitmap directory";
    case Structure::bitmap_table: return "bitmap table";
    case Structure::bitmap_data: return "bitmap data";
    case Structure::luks_header: return "LUKS header";
    case Structure::data: return "data";
    case Structure::compressed_data: return "compressed data";
  }
  return "";
}

void Findings::add(Finding finding) {
  const std::scoped_lock lock(mutex_);
  OfRule& of_rule = by_rule_[finding.rule.row()];
  ++of_rule.added;
  of_rule.total += finding.count;
  of_rule.worst = std::max(of_rule.worst, finding.severity);
  by_severity_[static_cast<std::size_t>(finding.severity)] += finding.count;
  of_rule.kept.insert(std::move(finding));
  if (limit_ != 0 && of_rule.kept.size() > limit_) of_rule.kept.erase(std::prev(of_rule.kept.end()));
}

std::vector<Finding> Findings::sorted() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Finding> all;
  for (const OfRule& of_rule : by_rule_) all.insert(all.end(), of_rule.kept.begin(), of_rule.kept.end());
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
