#include "checker/planning/private_copies.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/decode_cluster.h"
#include "checker/format/endian.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

std::string range_text(const Place& place) {
  return place.guest ? fmt::format("{:#x}+{}", place.guest->offset, place.guest->length) : "unknown";
}

// Clusters that the copies of all tables that are shared need: the tables, and then all that both name.
std::uint64_t clusters_of_shared_tables(Round& round) {
  const Geometry& geometry = round.context.geometry;
  std::uint64_t clusters = 0;
  Bytes table(geometry.cluster_bytes);
  for (const Finding* shared : round.of_rule(rule("l1/shared"))) {
    ++clusters;
    const auto raw = round.editor.read_number<std::uint64_t>(File::image, shared->place.offset);
    if (!round.editor.image().read(raw & kOffsetMask, table)) continue;
    for (std::size_t at = 0; at < table.size(); at += geometry.l2_entry_bytes)
      clusters += load_big_endian<std::uint64_t>(table.data() + at) != 0;
  }
  return clusters;
}

// What noise names together may be thousands of times what the file holds: that many copies are made only
// where the user says so.
bool may_copy(Round& round, const Finding& finding) {
  constexpr std::uint64_t kMostTimes = 4;  // the size of the file
  constexpr std::uint64_t kAlways = 1 << 20;
  if (round.chosen(finding.rule, "") == "copy") return true;
  const auto [room, is_new] = round.room_for_copies.try_emplace(finding.rule, 0);
  if (is_new)
    room->second = (finding.rule == rule("l1/shared") ? clusters_of_shared_tables(round)
                                                      : round.context.findings.added(finding.rule)) *
                   round.context.geometry.cluster_bytes;
  if (room->second <= kAlways + kMostTimes * round.before.geometry.file_bytes) return true;
  round.consent_needed.insert(fmt::format(
      "{}: private copies would take much more room than the file; make them with --choose {}=copy",
      finding.rule->id, finding.rule->id));
  return false;
}

// Whose data a shared cluster holds nobody can tell.
std::string private_copy_text(const Finding& finding) {
  if (finding.rule != rule("l2/cross-linked") || !finding.other) return "map the private copy";
  return fmt::format(
      "map the private copy: the guest ranges {} and {} had one cluster, so one of them reads data "
      "of the other",
      range_text(*finding.other), range_text(finding.place));
}

// `write_to` writes the content to the cluster at an offset.
template <typename WriteTo>
bool write_copy(Round& round, const Finding& finding, std::uint64_t entry_at, std::uint64_t raw,
                const std::string& what, WriteTo write_to) {
  const auto to = round.allocator.allocate();
  if (!to) return false;
  round.editor.begin(finding.rule, Remedy::choice, fmt::format("copy {} to {:#x}", what, *to),
                     Phase::structures);
  write_to(*to);
  round.editor.begin(finding.rule, Remedy::choice, private_copy_text(finding)).outcome = "copy";
  const bool was_compressed = raw & kCompressed;
  round.editor.write_number(File::image, entry_at,
                            *to | kCopied | (was_compressed ? 0 : raw & L2Entry::kZero));
  if (was_compressed && round.context.header.has_extended_l2())
    round.editor.write_number(File::image, entry_at + 8, std::uint64_t{0xffffffff});
  return true;
}

bool copy_compressed(Round& round, const Finding& finding, std::uint64_t entry_at, std::uint64_t raw) {
  const auto content = decode_entry(round.context.header, round.editor.image(), {raw});
  return content &&
         write_copy(round, finding, entry_at, raw,
                    fmt::format("the compressed cluster of guest offset {:#x}", finding.place.guest->offset),
                    [&](std::uint64_t to) { round.editor.write(File::image, to, *content); });
}

bool copy_standard(Round& round, const Finding& finding, std::uint64_t entry_at, std::uint64_t raw) {
  Bytes content(round.context.geometry.cluster_bytes);
  const std::uint64_t from = raw & kOffsetMask & ~(content.size() - 1);
  return round.editor.image().read(from, content) &&
         write_copy(round, finding, entry_at, raw, fmt::format("the cluster at {:#x}", from),
                    [&](std::uint64_t to) {
                      // Metadata may have been written to since, which the guest need not see.
                      if (finding.rule == rule("l2/overlaps-metadata"))
                        round.editor.copy_original(File::image, from, to, content.size());
                      else
                        round.editor.copy(File::image, from, to, content.size());
                      round.release(from, content.size());
                    });
}

}  // namespace

bool make_private_copy(Round& round, const Finding& finding) {
  const std::uint64_t at = finding.place.offset;
  const auto raw = round.editor.read_number<std::uint64_t>(File::image, at);
  // An entry may be found several times; once it has a copy, it is another entry.
  const std::uint64_t kept = raw & kCompressed ? ~std::uint64_t{0} : kOffsetMask;
  if (finding.found && ((*finding.found ^ raw) & kept) != 0) return true;
  if (!may_copy(round, finding)) return true;
  if (!(raw & kCompressed)) return copy_standard(round, finding, at, raw);
  if (copy_compressed(round, finding, at, raw)) return true;
  // Of two entries, the one that is a whole cluster moves.
  if (finding.rule != rule("l2/cross-linked") || !finding.other) return false;
  const std::uint64_t other_at = finding.other->offset;
  const auto other = round.editor.read_number<std::uint64_t>(File::image, other_at);
  return !(other & kCompressed) && copy_standard(round, finding, other_at, other);
}

void copy_shared_table(Round& round, const Finding& finding) {
  if (!may_copy(round, finding)) return;
  const Context& context = round.context;
  const auto raw = round.editor.read_number<std::uint64_t>(File::image, finding.place.offset);
  Bytes table(context.geometry.cluster_bytes);
  if (!round.editor.image().read(raw & kOffsetMask, table)) return;
  const auto to = round.allocator.allocate();
  if (!to) return;
  round.editor.begin(finding.rule, Remedy::choice,
                     fmt::format("copy the L2 table at {:#x} to {:#x}", raw & kOffsetMask, *to),
                     Phase::structures);
  round.editor.copy(File::image, raw & kOffsetMask, *to, table.size());
  round.editor.begin(finding.rule, Remedy::choice, "name the private copy").outcome = "copy";
  round.editor.write_number(File::image, finding.place.offset, *to | kCopied);
}

}  // namespace cowvet
