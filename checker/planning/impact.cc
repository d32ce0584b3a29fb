#include "checker/planning/impact.h"

#include "checker/analysis/guest_extents.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

bool names_table(Round& round, const DiskState& disk, std::uint64_t l1_index, std::uint64_t table) {
  if (!disk.l1_usable || l1_index >= disk.l1_entries) return false;
  const auto raw = round.editor.read_number<std::uint64_t>(File::image, disk.l1_offset + l1_index * 8);
  return L1Entry{raw}.l2_offset() == table;
}

}  // namespace

std::vector<std::string> owners_of_table(Round& round, const Finding& finding) {
  const Context& context = round.context;
  std::vector<std::string> owners{finding.place.owner};
  if (finding.place.structure != Structure::l2_table || !finding.place.l1_index || context.snapshots.empty())
    return owners;
  const std::uint64_t table = finding.place.offset & ~(context.geometry.cluster_bytes - 1);
  const auto add = [&](const DiskState& disk) {
    if (disk.owner != finding.place.owner && names_table(round, disk, *finding.place.l1_index, table))
      owners.push_back(disk.owner);
  };
  // Many entries of one table may be broken: its L1 entries are looked up once.
  const auto known = round.owners_of_table.find(table);
  if (known != round.owners_of_table.end()) return known->second;
  add(active_disk(context));
  for (const SnapshotRecord& record : context.snapshots) add(snapshot_disk(context, record));
  return round.owners_of_table[table] = owners;
}

void add_impact(Round& round, const Finding& finding, GuestRange range, const std::string& before,
                const std::string& after, Step& step) {
  for (const std::string& owner : owners_of_table(round, finding))
    step.impact.push_back({range, owner, before, after});
}

}  // namespace cowvet
