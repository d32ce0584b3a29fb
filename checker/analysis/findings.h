// Collects findings from many threads. Counts are exact; of each rule only the first `limit` findings (in
// the order of Finding) are kept, so that the report is the same whatever the number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

#include "checker/analysis/finding.h"

namespace cowvet {

class Findings {
 public:
  // limit 0: keep all.
  explicit Findings(std::uint64_t limit = 0) : limit_(limit) {}

  void add(Finding finding);

  // What is kept, by rule in the order of the catalogue, then by place.
  std::vector<Finding> sorted() const;

  // Findings of a rule that were added, kept or not.
  std::uint64_t added(RuleId rule) const;
  // Broken entries or clusters of a severity: the sum of Finding::count.
  std::uint64_t total(Severity severity) const;
  // The same of one rule.
  std::uint64_t total(RuleId rule) const;
  // The highest severity among the findings of a rule that was added.
  Severity worst(RuleId rule) const;

 private:
  struct OfRule {
    std::uint64_t added = 0;
    std::uint64_t total = 0;
    Severity worst = Severity::notice;
    std::multiset<Finding> kept;
  };

  std::uint64_t limit_;
  mutable std::mutex mutex_;
  std::array<OfRule, kRuleCount> by_rule_;
  std::array<std::uint64_t, 4> by_severity_{};
};

}  // namespace cowvet
