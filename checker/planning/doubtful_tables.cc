#include "checker/planning/doubtful_tables.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "checker/analysis/guest_extents.h"
#include "checker/analysis/l2_entry.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

std::uint64_t table_of(const Round& round, const Finding& finding) {
  return finding.place.offset & ~(round.context.geometry.cluster_bytes - 1);
}

// A few entries may be damaged in any table.
bool is_noise(Round& round, std::uint64_t table) {
  constexpr std::uint64_t kFew = 8;
  const Geometry& geometry = round.context.geometry;
  std::vector<std::byte> bytes(geometry.cluster_bytes);
  if (!round.editor.image().read(table, bytes)) return false;
  const EntryJudge judge(round.context);
  std::uint64_t used = 0;
  std::uint64_t wrong = 0;
  for (std::uint64_t at = 0; at < bytes.size(); at += geometry.l2_entry_bytes) {
    auto raw = load_big_endian<std::uint64_t>(bytes.data() + at);
    const SubclusterBitmap subclusters{
        geometry.l2_entry_bytes == 16 ? load_big_endian<std::uint64_t>(bytes.data() + at + 8) : 0};
    if (raw == 0 && subclusters.raw == 0) continue;
    if ((raw & kCompressed) == 0) raw &= ~L2Entry::kReserved;
    ++used;
    wrong += !judge.is_plausible(raw, subclusters);
  }
  return wrong > kFew && wrong > used / 2;
}

// The disk state with that owner, if its L1 table can be followed.
std::optional<DiskState> find_disk(const Context& context, const std::string& owner) {
  if (owner.empty()) return active_disk(context);
  for (const SnapshotRecord& record : context.snapshots)
    if (record.l1_usable && record.owner() == owner) return snapshot_disk(context, record);
  return std::nullopt;
}

}  // namespace

bool is_in_doubtful_table(Round& round, const Finding& finding) {
  if (finding.place.structure != Structure::l2_table || finding.place.file != File::image) return false;
  const std::uint64_t table = table_of(round, finding);
  const auto [known, is_new] = round.doubtful_tables.try_emplace(table, false);
  if (is_new) known->second = is_noise(round, table);
  return known->second;
}

std::uint64_t count_doubtful_tables(Round& round) {
  if (!std::exchange(round.counted_doubtful_tables, true))
    for (const Finding& finding : round.findings) is_in_doubtful_table(round, finding);
  return static_cast<std::uint64_t>(
      std::ranges::count_if(round.doubtful_tables, [](const auto& table) { return table.second; }));
}

std::optional<Finding> as_finding_of_l1_entry(Round& round, const Finding& finding) {
  const Place& place = finding.place;
  const auto disk = find_disk(round.context, place.owner);
  if (!disk || !place.l1_index || *place.l1_index >= disk->l1_entries) return std::nullopt;
  const std::uint64_t window = round.context.geometry.l2_window_bytes;
  const std::uint64_t guest = *place.l1_index * window;
  const std::uint64_t at = disk->l1_offset + *place.l1_index * 8;
  const L1Entry entry{round.editor.read_number<std::uint64_t>(File::image, at)};
  if (entry.l2_offset() != table_of(round, finding)) return std::nullopt;
  Finding of_entry = finding;
  of_entry.place.structure = place.owner.empty() ? Structure::l1_table : Structure::snapshot_l1_table;
  of_entry.place.offset = at;
  of_entry.place.length = 8;
  // Behind the end of the disk is the VM state.
  of_entry.place.guest =
      GuestRange{guest, guest < disk->disk_bytes ? std::min(window, disk->disk_bytes - guest) : window};
  return of_entry;
}

}  // namespace cowvet
