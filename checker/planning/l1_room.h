// L1 tables that are too short for the disk they map.
#pragma once

#include <optional>

#include "checker/planning/round.h"

namespace cowvet {

inline constexpr std::uint64_t kMostL1Entries = (32 << 20) / 8;  // QEMU limit

// Where the table at `offset`, which has `entries`, can have `needed`: its own place, where nothing follows
// in its last cluster but zeros and entries that name lost L2 tables, or that of a copy in new clusters,
// which this writes. None: no room, or the table cannot be read.
std::optional<std::uint64_t> make_room_for_l1(Round& round, RuleId rule, std::uint64_t offset,
                                              std::uint64_t entries, std::uint64_t needed);

// How many entries the table has that are needed: those of the disk, and as many as are in use behind it.
// None: it cannot be read as a whole.
std::optional<std::uint64_t> used_l1_entries(Round& round, std::uint64_t offset, std::uint64_t entries,
                                             std::uint64_t disk_bytes);

}  // namespace cowvet
