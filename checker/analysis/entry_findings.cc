#include "checker/analysis/entry_findings.h"

#include <fmt/format.h>

#include <utility>

#include "checker/format/entries.h"

namespace cowvet {
namespace {

struct Description {
  RuleId rule;
  const char* text;  // {0}: host offset, {1}: raw entry
};

constexpr Description kDescriptions[] = {
    {rule("l2/reserved-bits"), "reserved bits are set in entry {1:#x}"},
    {rule("l2/unaligned"), "host offset {0:#x} is not cluster aligned"},
    {rule("l2/outside"), "host cluster at {0:#x} is past the end of the file"},
    {rule("l2/offset-zero"), "COPIED is set with host offset 0, which no cluster of this file can have"},
    {rule("l2/copied"), "COPIED disagrees with the refcount of the cluster at {0:#x}"},
    {rule("l2/compressed-copied"), "COPIED is set on a compressed cluster"},
    {rule("l2/compressed-outside"), "the compressed stream runs past the end of the file"},
    {rule("l2/past-end"), "allocated behind the end of the virtual disk"},
    {rule("l2/subcluster-conflict"), "subclusters are marked as allocated and as zero at once"},
    {rule("l2/subcluster-without-cluster"),
     "subclusters are marked as allocated, but there is no host cluster"},
    {rule("l2/subcluster-on-compressed"), "a subcluster bitmap is set on a compressed cluster"},
    {rule("l2/zero-bit-extended"), "bit 0 is set, which extended L2 entries do not have"},
    {rule("data-file/offset-mismatch"), "host offset {0:#x} in the data file is not the guest offset"},
    {rule("data-file/not-copied"), "COPIED is clear on an allocated cluster"},
    {rule("data-file/compressed"), "a compressed cluster in an image with an external data file"},
};

}  // namespace

std::string describe_entry(RuleId rule, std::uint64_t found, std::uint64_t count) {
  for (const Description& description : kDescriptions) {
    if (description.rule != rule) continue;
    std::string text = fmt::format(fmt::runtime(description.text), found & kOffsetMask, found);
    if (count > 1) text += fmt::format("; the first of {} such entries in a row", count);
    return text;
  }
  return {};
}

Place EntryFindings::place_of(const Context& context, const Tables& tables, const L2Table& table,
                              std::uint64_t l2_index, std::uint64_t entries) {
  const Geometry& geometry = context.geometry;
  const std::uint64_t guest_cluster = table.l1_index * geometry.l2_entries + l2_index;
  return {.structure = Structure::l2_table,
          .offset = table.offset + l2_index * geometry.l2_entry_bytes,
          .length = entries * geometry.l2_entry_bytes,
          .l1_index = table.l1_index,
          .l2_index = l2_index,
          .guest = GuestRange{guest_cluster * geometry.cluster_bytes, entries * geometry.cluster_bytes},
          .owner = tables.states[table.state].owner};
}

void EntryFindings::add(RuleId rule, const L2Table& table, std::uint64_t l2_index, std::uint64_t found,
                        std::optional<std::uint64_t> expected) {
  Run& run = open_[rule.row()];
  if (run.table == &table && run.first + run.count == l2_index) {
    ++run.count;
    return;
  }
  close(rule, run);
  run = {&table, l2_index, 1, found, expected};
  any_open_ = true;
}

void EntryFindings::close(RuleId rule, Run& run) {
  if (!run.table) return;
  const std::uint64_t offset = run.table->offset + run.first * context_.geometry.l2_entry_bytes;
  findings_.add(rule, File::image, Structure::l2_table, offset, run.count, [&] {
    return Finding{.rule = rule,
                   .place = place_of(context_, tables_, *run.table, run.first, run.count),
                   .count = run.count,
                   .expected = run.expected,
                   .found = run.found,
                   .detail = describe_entry(rule, run.found, run.count)};
  });
  run.table = nullptr;
}

void EntryFindings::end_table() {
  if (!std::exchange(any_open_, false)) return;
  for (std::uint16_t row = 0; row < kRuleCount; ++row) close(RuleId(row), open_[row]);
}

void EntryFindings::add_conflict(RuleId rule, const L2Table& table, std::uint64_t l2_index,
                                 std::uint64_t found, const Place& other, std::string detail) {
  const std::uint64_t offset = table.offset + l2_index * context_.geometry.l2_entry_bytes;
  findings_.add(rule, File::image, Structure::l2_table, offset, 1, [&] {
    return Finding{.rule = rule,
                   .place = place_of(context_, tables_, table, l2_index),
                   .other = other,
                   .found = found,
                   .detail = std::move(detail)};
  });
}

}  // namespace cowvet
