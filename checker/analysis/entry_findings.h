// Findings about L2 entries, as one thread meets them in the order of a table: neighbours with the same
// problem become one finding, and beyond the cap they cost no more than a count.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "checker/analysis/context.h"
#include "checker/analysis/tables.h"

namespace cowvet {

class EntryFindings {
 public:
  EntryFindings(const Context& context, const Tables& tables)
      : context_(context), tables_(tables), findings_(context.options.findings_per_rule) {}

  // Entry `l2_index` of `table` breaks `rule`.
  void add(RuleId rule, const L2Table& table, std::uint64_t l2_index, std::uint64_t found,
           std::optional<std::uint64_t> expected = {});

  // The same with a second party; never merged with neighbours.
  void add_conflict(RuleId rule, const L2Table& table, std::uint64_t l2_index, std::uint64_t found,
                    const Place& other, std::string detail);

  // Closes the runs of the table at hand; to be called behind each table.
  void end_table();

  Findings& findings() { return findings_; }

  // The place of an entry.
  static Place place_of(const Context& context, const Tables& tables, const L2Table& table,
                        std::uint64_t l2_index, std::uint64_t entries = 1);

 private:
  struct Run {
    const L2Table* table = nullptr;  // nullptr: none open
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    std::uint64_t found = 0;  // of the first entry
    std::optional<std::uint64_t> expected;
  };
  void close(RuleId rule, Run& run);

  const Context& context_;
  const Tables& tables_;
  Findings findings_;
  std::array<Run, kRuleCount> open_{};
  bool any_open_ = false;
};

// One line for people: what is wrong with an entry of raw value `found` under a rule of l2/* or data-file/*.
std::string describe_entry(RuleId rule, std::uint64_t found, std::uint64_t count);

}  // namespace cowvet
