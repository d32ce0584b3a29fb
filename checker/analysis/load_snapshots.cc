// The snapshot table: one entry of variable length behind the other, as many as the header says, however long
// that makes the table. It is read piece by piece until the last entry, the end of the file, or the length at
// which QEMU gives up.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "checker/analysis/entry_reader.h"
#include "checker/analysis/extension_area.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/places.h"

namespace cowvet {
namespace {

constexpr std::uint32_t kMostSnapshots = 65536;           // QEMU limit
constexpr std::uint64_t kMostTableBytes = 64 << 20;       // QEMU limit
constexpr std::size_t kMostExtraBytes = 1024;             // QEMU limit
constexpr std::uint64_t kMostL1Entries = (32 << 20) / 8;  // QEMU limit

using SnapshotReader = EntryReader<DecodedSnapshot>;

template <typename Field>
Place field(const SnapshotRecord& record, Field RawSnapshotHead::* member) {
  Place place = place_of(Structure::snapshot_table, record.entry_offset, member);
  place.owner = record.owner();
  return place;
}

void report_cut_off(Context& context, std::uint64_t at) {
  const std::size_t decoded = context.snapshots.size();
  const std::uint32_t count = context.header.nb_snapshots;
  const Place place{.structure = Structure::snapshot_table, .offset = at};
  context.findings.add(
      {.rule = rule("snapshot/entry-truncated"),
       .place = place,
       .expected = count,
       .found = decoded,
       .detail = fmt::format("the snapshot table ends after {} of {} snapshots", decoded, count)});
}

// "Version 3 images must include extra data at least up to byte 55." QEMU reads at most 1024 bytes of it.
void check_extra_data(Context& context, const SnapshotRecord& record) {
  const std::size_t bytes = record.snapshot.extra_data.size();
  const Place place = field(record, &RawSnapshotHead::extra_data_size);
  if (context.header.version >= 3 && bytes < kSnapshotExtraNeededV3)
    context.findings.add({.rule = rule("snapshot/extra-data-short"),
                          .place = place,
                          .expected = kSnapshotExtraNeededV3,
                          .found = bytes,
                          .detail = fmt::format("the entry has {} bytes of extra data, version 3 needs {}",
                                                bytes, kSnapshotExtraNeededV3)});
  if (bytes > kMostExtraBytes)
    context.findings.add({.rule = rule("snapshot/extra-data-long"),
                          .place = place,
                          .expected = kMostExtraBytes,
                          .found = bytes,
                          .detail = fmt::format("the entry has {} bytes of extra data, QEMU reads at most {}",
                                                bytes, kMostExtraBytes)});
}

// "Offset into the image file at which the L1 table for the snapshot starts. Must be aligned to a cluster
// boundary", even if it is empty.
bool check_l1_table(Context& context, const SnapshotRecord& record) {
  const Snapshot& snapshot = record.snapshot;
  const std::uint64_t offset = snapshot.l1_table_offset;
  const std::uint64_t bytes = std::uint64_t{snapshot.l1_size} * 8;
  const Place place = field(record, &RawSnapshotHead::l1_table_offset);
  const bool aligned = context.aligned(offset);
  if (!aligned)
    context.findings.add(
        {.rule = rule("snapshot/l1-unaligned"),
         .place = place,
         .found = offset,
         .detail = fmt::format("the L1 table at offset {:#x} does not begin at a cluster", offset)});
  if (bytes == 0) return true;
  const bool inside = offset != 0 && context.clusters_in_file(offset, bytes);
  if (!inside)
    context.findings.add(
        {.rule = rule("snapshot/l1-outside"),
         .place = place,
         .found = offset,
         .detail =
             fmt::format("the L1 table at offset {:#x}, {} bytes, is not inside the file", offset, bytes)});
  if (snapshot.l1_size > kMostL1Entries)
    context.findings.add({.rule = rule("snapshot/l1-too-large"),
                          .place = field(record, &RawSnapshotHead::l1_size),
                          .expected = kMostL1Entries,
                          .found = snapshot.l1_size,
                          .detail = fmt::format("the L1 table has {} entries, QEMU reads at most {}",
                                                snapshot.l1_size, kMostL1Entries)});
  return aligned && inside;
}

// "Virtual disk size of the snapshot in bytes", all of which its L1 table maps; VM state lies behind.
bool check_disk_size(Context& context, const SnapshotRecord& record) {
  const std::uint64_t disk_bytes = record.snapshot.disk_size(0);
  const std::uint64_t needed = divide_up(disk_bytes, context.geometry.l2_window_bytes);
  if (record.snapshot.l1_size >= needed) return true;
  context.findings.add(
      {.rule = rule("snapshot/size-beyond-l1"),
       .place = field(record, &RawSnapshotHead::l1_size),
       .expected = needed,
       .found = record.snapshot.l1_size,
       .detail = fmt::format("the L1 table has {} entries, the disk size of {} bytes needs {}",
                             record.snapshot.l1_size, disk_bytes, needed)});
  return false;
}

// "Unique ID string describing the snapshot". Names need not be unique, but tools that look for one take the
// first; nobody looks for an empty one.
void check_duplicates(Context& context, std::string Snapshot::* text, RuleId rule, const char* what) {
  std::map<std::string_view, const SnapshotRecord*> first;
  for (const SnapshotRecord& record : context.snapshots) {
    const std::string& value = record.snapshot.*text;
    const auto [seen, is_new] = first.emplace(value, &record);
    if (is_new || (value.empty() && text == &Snapshot::name)) continue;
    const Place place = field(record, &RawSnapshotHead::id_size);
    const Place other = field(*seen->second, &RawSnapshotHead::id_size);
    context.findings.add({.rule = rule,
                          .place = place,
                          .other = other,
                          .detail = fmt::format("the snapshot {} {} is used twice", what, excerpt(value))});
  }
}

// Decodes entries until the table's end; false: it ends early, or cannot be read.
bool read_table(Context& context, SnapshotReader& reader) {
  const std::uint32_t count = std::min(context.header.nb_snapshots, kMostSnapshots);
  while (context.snapshots.size() < count) {
    const std::uint64_t at = reader.at();
    auto decoded = reader.next();
    if (reader.cut_off()) report_cut_off(context, at);
    if (!decoded) return false;
    context.snapshots.push_back({.snapshot = std::move(decoded->snapshot), .entry_offset = at});
  }
  return count == context.header.nb_snapshots;
}

void claim_l1_tables(Context& context) {
  for (SnapshotRecord& record : context.snapshots) {
    const Snapshot& snapshot = record.snapshot;
    if (!record.l1_usable || snapshot.l1_size == 0) continue;
    context.areas.push_back({.structure = Structure::snapshot_l1_table,
                             .offset = snapshot.l1_table_offset,
                             .length = std::uint64_t{snapshot.l1_size} * 8,
                             .owner = record.owner()});
  }
}

}  // namespace

void load_snapshots(Context& context) {
  if (context.header.nb_snapshots == 0 || !context.snapshots_usable) return;
  const std::uint64_t begin = context.header.snapshots_offset;
  const std::uint64_t limit = std::min(context.geometry.file_bytes, begin + kMostTableBytes);
  SnapshotReader reader(context, Structure::snapshot_table, begin, limit, decode_snapshot);
  if (!read_table(context, reader)) context.unknown_references.emplace_back("the rest of the snapshot table");
  context.report.counters.snapshots = context.snapshots.size();
  context.areas.push_back(
      {.structure = Structure::snapshot_table, .offset = begin, .length = reader.at() - begin, .owner = {}});
  // Every entry that is there is decoded.

  bool all_known = true;
  for (SnapshotRecord& record : context.snapshots) {
    check_extra_data(context, record);
    record.l1_usable = check_l1_table(context, record);
    all_known &= record.l1_usable;
    all_known &= check_disk_size(context, record);
  }
  if (!all_known) context.unknown_references.emplace_back("an L1 table of a snapshot");
  check_duplicates(context, &Snapshot::id, rule("snapshot/duplicate-id"), "id");
  check_duplicates(context, &Snapshot::name, rule("snapshot/duplicate-name"), "name");
  claim_l1_tables(context);
}

}  // namespace cowvet
