#include "checker/planning/table_candidates.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/extension_area.h"
#include "checker/format/header.h"
#include "checker/planning/bitmap_directory.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/lost_tables.h"
#include "checker/planning/snapshot_table.h"

namespace cowvet {
namespace {

Candidate at(std::uint64_t offset, std::string_view what, std::vector<Patch> patches) {
  return {.outcome = fmt::format("{:#x}", offset),
          .why = fmt::format("name the lost {} at {:#x}", what, offset),
          .patches = std::move(patches)};
}

// One field that holds an offset.
std::vector<Candidate> for_offsets(const std::vector<std::uint64_t>& offsets, std::string_view what,
                                   std::uint64_t field) {
  std::vector<Candidate> candidates;
  for (const std::uint64_t offset : offsets)
    candidates.push_back(at(offset, what, {Patch::number(field, offset)}));
  return candidates;
}

}  // namespace

// The length that the header gives may be wrong, too: then it is what the disk needs.
std::vector<Candidate> l1_candidates(const Round& round) {
  const Header& header = round.context.header;
  const std::uint64_t needed = divide_up(header.size, round.context.geometry.l2_window_bytes);
  const bool possible = needed != 0 && needed <= kMostL1Entries;
  std::vector<Candidate> candidates;
  if (header.l1_size >= needed && header.l1_size <= kMostL1Entries)
    candidates =
        for_offsets(lost_l1_tables(round, header.l1_size), "L1 table", offsetof(RawHeader, l1_table_offset));
  if (!possible || needed == header.l1_size) return candidates;
  const Patch length = Patch::number(offsetof(RawHeader, l1_size), static_cast<std::uint32_t>(needed));
  for (const std::uint64_t offset : lost_l1_tables(round, needed)) {
    const Candidate shorter =
        at(offset, "L1 table", {Patch::number(offsetof(RawHeader, l1_table_offset), offset), length});
    if (std::ranges::find(candidates, shorter.outcome, &Candidate::outcome) == candidates.end())
      candidates.push_back(shorter);
  }
  const auto is_present = [&](const Candidate& candidate) {
    return candidate.outcome == fmt::format("{:#x}", header.l1_table_offset);
  };
  if (needed < header.l1_size && std::ranges::none_of(candidates, is_present) &&
      round.context.aligned(header.l1_table_offset) &&
      round.context.clusters_in_file(header.l1_table_offset, needed * 8) && header.l1_table_offset != 0)
    candidates.push_back(
        {.outcome = fmt::format("{:#x}", header.l1_table_offset),
         .why = fmt::format("say that the L1 table has {} entries, as many as the disk needs", needed),
         .patches = {length}});
  return candidates;
}

std::vector<Candidate> snapshot_l1_candidates(const Round& round, const SnapshotRecord& record) {
  return for_offsets(lost_l1_tables(round, record.snapshot.l1_size), "L1 table of " + record.owner(),
                     record.entry_offset + offsetof(RawSnapshotHead, l1_table_offset));
}

std::vector<Candidate> snapshot_table_candidates(const Round& round) {
  return for_offsets(lost_snapshot_tables(round, round.context.header.nb_snapshots), "snapshot table",
                     offsetof(RawHeader, snapshots_offset));
}

std::vector<Candidate> bitmap_directory_candidates(const Round& round) {
  const auto& directory = round.context.bitmap_directory;
  const Extension* extension = find_extension(round.context.extensions, ExtensionType::bitmaps);
  if (!directory || !extension) return {};
  const auto extent = find_lost_directory(round, directory->second, round.context.bitmap_count);
  if (!extent) return {};
  return for_offsets(
      {extent->offset}, "bitmap directory",
      extension->offset + sizeof(RawExtensionHead) + offsetof(RawBitmapsExtension, bitmap_directory_offset));
}

std::vector<Candidate> bitmap_table_candidates(const Round& round, const BitmapRecord& record) {
  return for_offsets(lost_bitmap_tables(round, record.bitmap.table_size, true), "table of " + record.owner(),
                     record.entry_offset + offsetof(RawBitmapHead, bitmap_table_offset));
}

std::vector<Candidate> luks_candidates(const Round& round) {
  const Extension* extension = find_extension(round.context.extensions, ExtensionType::luks);
  if (!extension) return {};
  return for_offsets(lost_luks_headers(round), "encryption header",
                     extension->offset + sizeof(RawExtensionHead) + offsetof(RawLuksPointer, offset));
}

}  // namespace cowvet
