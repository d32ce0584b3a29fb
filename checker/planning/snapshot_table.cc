#include "checker/planning/snapshot_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "checker/analysis/bytes.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/references.h"
#include "checker/analysis/table_reader.h"
#include "checker/analysis/tables.h"
#include "checker/format/header.h"
#include "checker/planning/lost_tables.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMostExtraBytes = 1024;       // QEMU limit
constexpr std::uint64_t kMostL1Bytes = 32 << 20;      // QEMU limit
constexpr std::uint64_t kMostTableBytes = 64 << 20;   // QEMU limit
constexpr std::uint64_t kMostEntryBytes = 132 << 10;  // head, extra data, id and name

// What the snapshot refers to, as far as it can be followed. What others refer to as well is none the worse.
void release_snapshot(Round& round, const SnapshotRecord& record) {
  Context& context = round.context;
  if (!record.l1_usable) return;
  const std::uint64_t l1_bytes = std::uint64_t{record.snapshot.l1_size} * 8;
  round.release(record.snapshot.l1_table_offset, l1_bytes);
  const EntryJudge judge(context);
  std::set<std::uint64_t> tables;
  for_each_entry(context, record.snapshot.l1_table_offset, record.snapshot.l1_size,
                 {.structure = Structure::snapshot_l1_table}, [&](std::uint64_t, std::uint64_t raw) {
                   const std::uint64_t offset = L1Entry{raw}.l2_offset();
                   if (offset != 0 && context.aligned(offset) && context.clusters_in_file(offset, 1))
                     tables.insert(offset);
                 });
  for (const std::uint64_t table : tables) {
    round.release(table, context.geometry.cluster_bytes);
    for_each_l2_entry(context, table, context.geometry.l2_entries, [&](std::uint64_t, std::uint64_t raw) {
      const Held held = judge.held(raw);
      round.release(held.first << context.geometry.cluster_bits, held.count << context.geometry.cluster_bits);
    });
  }
}

bool holds_snapshot_table(const Round& round, std::uint64_t offset, std::uint32_t count) {
  // Most clusters do not even begin with the offset of an L1 table.
  std::byte head[8];
  if (!round.context.in_file(offset, sizeof head) || !round.context.image.read(offset, head)) return false;
  const auto first_l1 = load_big_endian<std::uint64_t>(head);
  if (!round.context.aligned(first_l1) || !round.context.clusters_in_file(first_l1, 0)) return false;
  const std::uint64_t limit = std::min(round.context.geometry.file_bytes, offset + kMostTableBytes);
  std::uint64_t at = offset;
  std::vector<std::byte> piece;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (at >= limit) return false;
    piece.resize(std::min(kMostEntryBytes, limit - at));
    if (!round.context.image.read(at, piece)) return false;
    const auto decoded = decode_snapshot(piece);
    if (!decoded || !is_plausible_snapshot(round, decoded->snapshot)) return false;
    at += decoded->entry_bytes;
  }
  return is_unowned(round, offset, std::min(at, limit) - offset);
}

}  // namespace

namespace {

// Nobody's, but for the snapshot table where the header says it is: it may not be there.
bool may_be_snapshot_l1(const Round& round, std::uint64_t offset, std::uint64_t length) {
  if (is_unowned(round, offset, length)) return true;
  return std::ranges::any_of(round.context.areas, [&](const Area& area) {
    return area.structure == Structure::snapshot_table && area.offset <= offset &&
           round.context.clusters_in_file(offset, length);
  });
}

}  // namespace

bool is_plausible_snapshot(const Round& round, const Snapshot& snapshot) {
  const std::uint64_t l1_bytes = std::uint64_t{snapshot.l1_size} * 8;
  const bool readable = std::ranges::all_of(snapshot.id, [](char c) { return c > 0x20 && c < 0x7f; });
  return !snapshot.id.empty() && readable && snapshot.extra_data.size() <= kMostExtraBytes &&
         l1_bytes <= kMostL1Bytes &&
         (l1_bytes == 0 || (round.context.aligned(snapshot.l1_table_offset) &&
                            may_be_snapshot_l1(round, snapshot.l1_table_offset, l1_bytes)));
}

std::vector<std::uint64_t> lost_snapshot_tables(const Round& round, std::uint32_t count) {
  std::vector<std::uint64_t> found;
  for (const std::uint64_t offset : unowned_clusters(round))
    if (holds_snapshot_table(round, offset, count)) found.push_back(offset);
  return found;
}

bool write_snapshot_table(Round& round, const Finding& finding, Remedy remedy, const std::string& why,
                          std::span<const Snapshot> snapshots) {
  if (std::exchange(round.rewrote_snapshots, true)) return false;
  const Geometry& geometry = round.context.geometry;
  std::uint64_t offset = 0;
  if (!snapshots.empty()) {
    std::vector<std::byte> table;
    for (const Snapshot& snapshot : snapshots) encode_snapshot(snapshot, table);
    const std::uint64_t clusters = divide_up(table.size(), geometry.cluster_bytes);
    table.resize(clusters << geometry.cluster_bits);
    const auto room = round.allocator.allocate(clusters);
    if (!room) return false;
    offset = *room;
    round.editor.begin(finding.rule, remedy, fmt::format("write a new snapshot table at {:#x}", offset),
                       Phase::structures);
    round.editor.write(File::image, offset, table);
  }
  for (const Area& area : round.context.areas)
    if (area.structure == Structure::snapshot_table) round.release(area.offset, area.length);
  round.editor.begin(finding.rule, remedy, why);
  round.editor.write_number(File::image, offsetof(RawHeader, nb_snapshots),
                            static_cast<std::uint32_t>(snapshots.size()));
  round.editor.write_number(File::image, offsetof(RawHeader, snapshots_offset), offset);
  return true;
}

void drop_snapshots(Round& round, const Finding& finding, const std::string& why,
                    const std::function<bool(const SnapshotRecord&)>& is_dropped) {
  if (round.rewrote_snapshots) return;
  std::vector<Snapshot> kept;
  for (const SnapshotRecord& record : round.context.snapshots)
    if (!is_dropped(record)) kept.push_back(record.snapshot);
  if (!write_snapshot_table(round, finding, Remedy::metadata, why, kept)) return;
  for (const SnapshotRecord& record : round.context.snapshots) {
    if (!is_dropped(record)) continue;
    release_snapshot(round, record);
    if (!record.l1_usable)
      round.consent_needed.insert(
          "refcount/orphan-mapping: what only a dropped snapshot referred to cannot be told from other lost "
          "data "
          "and is kept; --choose refcount/orphan-mapping=free frees it");
  }
}

}  // namespace cowvet
