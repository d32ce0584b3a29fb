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

  // As add(make()), but `make` is called only where the finding will be kept; for passes that may meet
  // millions. The arguments are those of the finding to be: its rule, file, structure, offset and count.
  template <typename Make>
  void add(RuleId rule, File file, Structure structure, std::uint64_t offset, std::uint64_t count,
           Make make) {
    {
      const std::scoped_lock lock(mutex_);
      if (is_behind_kept(rule, file, structure, offset)) {
        tally(rule, rule->severity, 1, count);
        return;
      }
    }
    add(make());
  }

  // Takes over what another collector holds.
  void absorb(Findings&& other);

  // What is kept, by rule in the order of the catalogue, then by place.
  std::vector<Finding> sorted() const;
  // The same, and nothing is kept here any more but the numbers: there may be very many.
  std::vector<Finding> take_sorted();

  // Findings of a rule that were added, kept or not.
  std::uint64_t added(RuleId rule) const;
  // Broken entries or clusters of a severity: the sum of Finding::count.
  std::uint64_t total(Severity severity) const;
  // The same of one rule.
  std::uint64_t total(RuleId rule) const;
  // The highest severity among the findings of a rule that was added.
  Severity worst(RuleId rule) const;

 private:
  bool is_behind_kept(RuleId rule, File file, Structure structure, std::uint64_t offset) const;
  void tally(RuleId rule, Severity severity, std::uint64_t findings, std::uint64_t total);
  void keep(Finding finding);

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
