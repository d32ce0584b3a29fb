#include "checker/planning/l1_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

// What lies behind the last entry may be entries that are no longer counted: then they name lost tables.
// Other than those, only zeros make room.
bool has_room_in_place(Round& round, std::uint64_t offset, std::uint64_t entries, std::uint64_t needed) {
  const std::uint64_t cluster_bytes = round.context.geometry.cluster_bytes;
  if (entries == 0 || needed * 8 > divide_up(entries * 8, cluster_bytes) * cluster_bytes) return false;
  std::vector<std::byte> rest((needed - entries) * 8);
  if (!round.editor.image().read(offset + entries * 8, rest)) return false;
  std::set<std::uint64_t> lost;
  for (const Finding* table : round.lost_l2_tables()) lost.insert(table->place.offset);
  for (std::size_t at = 0; at < rest.size(); at += 8) {
    const L1Entry entry{load_big_endian<std::uint64_t>(rest.data() + at)};
    if (entry.raw != 0 && (entry.reserved() != 0 || !lost.contains(entry.l2_offset()))) return false;
  }
  return true;
}

}  // namespace

std::optional<std::uint64_t> make_room_for_l1(Round& round, RuleId rule, std::uint64_t offset,
                                              std::uint64_t entries, std::uint64_t needed) {
  if (needed > kMostL1Entries || entries > needed) return std::nullopt;
  if (has_room_in_place(round, offset, entries, needed)) return offset;
  const Geometry& geometry = round.context.geometry;
  const std::uint64_t clusters = divide_up(needed * 8, geometry.cluster_bytes);
  std::vector<std::byte> table(clusters << geometry.cluster_bits);
  if (!round.editor.image().read(offset, std::span(table).first(entries * 8))) return std::nullopt;
  const auto to = round.allocator.allocate(clusters);
  if (!to) return std::nullopt;
  round.editor.begin(
      rule, Remedy::safe,
      fmt::format("copy the L1 table at {:#x} to {:#x}, where there is room for more", offset, *to),
      Phase::structures);
  round.editor.write(File::image, *to, table);
  round.release(offset, entries * 8);
  return to;
}

std::optional<std::uint64_t> used_l1_entries(Round& round, std::uint64_t offset, std::uint64_t entries,
                                             std::uint64_t disk_bytes) {
  std::uint64_t used = divide_up(disk_bytes, round.context.geometry.l2_window_bytes);
  const bool complete =
      for_each_entry(round.context, offset, entries, {.structure = Structure::l1_table},
                     [&](std::uint64_t index, std::uint64_t) { used = std::max(used, index + 1); });
  if (!complete) return std::nullopt;
  return used;
}

}  // namespace cowvet
