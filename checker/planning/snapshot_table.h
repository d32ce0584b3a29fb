// The snapshot table as a whole, for remedies: writing it anew, giving a snapshot up, and finding what of it
// was lost.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>

#include "checker/planning/round.h"

namespace cowvet {

// Writes a table of these snapshots into new clusters and has the header name it, once a round. False: no
// room.
bool write_snapshot_table(Round& round, const Finding& finding, Remedy remedy, const std::string& why,
                          std::span<const Snapshot> snapshots);

// Writes the table without the snapshots for which `is_dropped` holds. What only they refer to becomes free.
void drop_snapshots(Round& round, const Finding& finding, const std::string& why,
                    const std::function<bool(const SnapshotRecord&)>& is_dropped);

// Where snapshot tables may be that nothing names: unowned clusters where `count` snapshots follow one
// another.
std::vector<std::uint64_t> lost_snapshot_tables(const Round& round, std::uint32_t count);

// Whether an entry is one that somebody may have written: readable id, and an L1 table that may be its own.
bool is_plausible_snapshot(const Round& round, const Snapshot& snapshot);

}  // namespace cowvet
