// L2 tables that no L1 entry names: which entry was theirs? Beside a data file their own entries tell. Else
// it is certain only where there is one table for one empty entry; otherwise the user says so:
//   --choose refcount/orphan-mapping=relink:TABLE@ENTRY[,TABLE@ENTRY...]
// What speaks for an entry is what is left in it, if its offset alone was lost, and the order of the file:
// most disks are written from their beginning to their end. Where part of an L2 table was wiped, it is
// certain which entries named what is lost.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

constexpr std::string_view kRelink = "relink";
constexpr std::size_t kMostEntries = 1 << 22;  // QEMU limit of an L1 table

// The L1 entries of the disk.
std::vector<L1Entry> entries_of(Round& round) {
  const Context& context = round.context;
  const std::uint64_t entries = std::min<std::uint64_t>(
      context.header.l1_size, divide_up(context.header.size, context.geometry.l2_window_bytes));
  std::vector<L1Entry> found(std::min<std::uint64_t>(entries, kMostEntries));
  std::vector<std::byte> table(found.size() * 8);
  if (!context.l1_usable || !round.editor.image().read(context.header.l1_table_offset, table)) return {};
  for (std::size_t i = 0; i < found.size(); ++i)
    found[i] = L1Entry{load_big_endian<std::uint64_t>(table.data() + i * 8)};
  return found;
}

// What an L2 table says of its own place.
struct OwnPlace {
  std::uint64_t last_used = 0;            // entry
  std::optional<std::uint64_t> l1_index;  // beside a data file, whose offsets are the guest's
};

OwnPlace look_into_table(Round& round, std::uint64_t offset) {
  const Geometry& geometry = round.context.geometry;
  OwnPlace place;
  bool contradicts = false;
  std::vector<std::byte> table(geometry.cluster_bytes);
  if (!round.editor.image().read(offset, table)) return place;
  for (std::uint64_t i = 0; i < geometry.l2_entries; ++i) {
    const L2Entry entry{load_big_endian<std::uint64_t>(table.data() + i * geometry.l2_entry_bytes)};
    if (entry.raw == 0) continue;
    place.last_used = i;
    if (!round.context.header.has_data_file() || !entry.copied()) continue;
    const std::uint64_t index = entry.host_offset() / geometry.l2_window_bytes;
    contradicts |= entry.host_offset() % geometry.l2_window_bytes != i * geometry.cluster_bytes ||
                   place.l1_index.value_or(index) != index;
    place.l1_index = index;
  }
  if (contradicts) place.l1_index.reset();
  return place;
}

// Empty entries that the table may belong to: first those in which something is left, then those between
// whose neighbours it lies.
struct Slot {
  std::uint64_t entry = 0;
  bool has_trace = false;
  bool in_order = false;
};

std::vector<Slot> slots_of(Round& round, std::uint64_t offset) {
  const std::vector<L1Entry> entries = entries_of(round);
  const OwnPlace place = look_into_table(round, offset);
  const Geometry& geometry = round.context.geometry;
  std::vector<std::uint64_t> next(entries.size() + 1, ~std::uint64_t{0});  // table behind an entry
  for (std::size_t i = entries.size(); i-- > 0;)
    next[i] = entries[i].l2_offset() != 0 ? entries[i].l2_offset() : next[i + 1];
  std::vector<Slot> slots;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t named = entries[i].l2_offset();
    const bool fits =
        named == 0 && place.l1_index.value_or(i) == i &&
        i * geometry.l2_window_bytes + place.last_used * geometry.cluster_bytes < round.context.header.size;
    if (named != 0) before = named;
    if (fits) slots.push_back({i, entries[i].raw != 0, before < offset && offset < next[i]});
  }
  std::ranges::stable_sort(slots, std::greater{},
                           [](const Slot& slot) { return std::pair(slot.has_trace, slot.in_order); });
  return slots;
}

// The entry that "relink:TABLE@ENTRY,..." gives a table.
std::optional<std::uint64_t> told_entry(std::string_view outcome, std::uint64_t table) {
  const std::string key = fmt::format("{:#x}@", table);
  std::size_t at = outcome.find(key);
  if (at == std::string_view::npos || (outcome[at - 1] != ':' && outcome[at - 1] != ',')) return std::nullopt;
  at += key.size();
  std::uint64_t entry = 0;
  const auto parsed = std::from_chars(outcome.data() + at, outcome.data() + outcome.size(), entry);
  return parsed.ec == std::errc() ? std::optional(entry) : std::nullopt;
}

std::string_view what_speaks_for(const Slot& slot) {
  if (slot.has_trace) return " (its flags are left)";
  return slot.in_order ? " (in the order of the file)" : "";
}

void ask(Round& round, const Finding& finding, std::span<const Slot> slots) {
  constexpr std::size_t kMostListed = 8;
  std::vector<std::string> listed;
  for (const Slot& slot : slots.first(std::min(kMostListed, slots.size())))
    listed.push_back(std::to_string(slot.entry).append(what_speaks_for(slot)));
  if (slots.size() > kMostListed) listed.push_back("...");
  round.consent_needed.insert(
      fmt::format("{}: the L2 table at {:#x} may belong to one of {} empty L1 entries: {}; needs --choose "
                  "{}=relink:{:#x}@{}",
                  finding.rule->id, finding.place.offset, slots.size(), fmt::join(listed, ", "),
                  finding.rule->id, finding.place.offset, slots.front().entry));
}

// Clusters that part of an L2 table named which was wiped.
void restore_entries(Round& round, const Finding& finding, const Place& entries, const std::string& outcome) {
  const Geometry& geometry = round.context.geometry;
  Step& step = round.editor.begin(
      finding.rule, Remedy::choice,
      fmt::format("name the {} lost clusters at {:#x} in the L2 table again, from entry {} on", finding.count,
                  finding.place.offset, entries.l2_index.value_or(0)));
  step.outcome = outcome;
  if (entries.guest)
    step.impact.push_back({*entries.guest, entries.owner, "nothing is mapped", "the data that was lost"});
  for (std::uint64_t i = 0; i < finding.count; ++i) {
    const std::uint64_t at = entries.offset + i * geometry.l2_entry_bytes;
    round.editor.write_number(File::image, at, (finding.place.offset + i * geometry.cluster_bytes) | kCopied);
    // Which subclusters the guest had written is lost as well: all that is there is given back.
    if (geometry.l2_entry_bytes == 16)
      round.editor.write_number(File::image, at + 8, std::uint64_t{0xffffffff});
  }
}

void relink_lost_table(Round& round, const Finding& finding) {
  const std::string outcome = round.chosen(finding.rule, "keep");
  if (outcome == kRelink && finding.place.structure == Structure::data && finding.other)
    return restore_entries(round, finding, *finding.other, outcome);
  if (!outcome.starts_with(kRelink) || finding.place.structure != Structure::l2_table) return;
  const std::vector<Slot> slots = slots_of(round, finding.place.offset);
  if (slots.empty()) return;
  std::optional<std::uint64_t> entry = told_entry(outcome, finding.place.offset);
  const bool own_place = round.context.header.has_data_file() && slots.size() == 1;
  const bool only_slot = slots.size() == 1 || slots[0].has_trace > slots[1].has_trace;
  const bool only_one = only_slot && round.lost_l2_tables().size() == 1;
  if (!entry && (own_place || only_one)) entry = slots.front().entry;
  if (!entry || std::ranges::find(slots, *entry, &Slot::entry) == slots.end())
    return ask(round, finding, slots);
  const std::uint64_t window = round.context.geometry.l2_window_bytes;
  Step& step = round.editor.begin(
      finding.rule, Remedy::choice,
      fmt::format("name the lost L2 table at {:#x} in L1 entry {}", finding.place.offset, *entry));
  step.outcome = outcome;
  step.impact.push_back({{*entry * window, std::min(window, round.context.header.size - *entry * window)},
                         "",
                         "nothing is mapped",
                         "the data that the lost table maps"});
  round.editor.write_number(File::image, round.context.header.l1_table_offset + *entry * 8,
                            finding.place.offset | kCopied);
}

constexpr RemedyRow kRows[] = {{rule("refcount/orphan-mapping"), Stage::tables, relink_lost_table}};

}  // namespace

std::span<const RemedyRow> orphan_remedies() {
  return kRows;
}

}  // namespace cowvet
