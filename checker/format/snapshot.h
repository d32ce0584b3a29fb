// Snapshot table entries (specification, "Snapshots"): a fixed head, extra data, id, name, padding to 8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "checker/format/endian.h"

namespace cowvet {

struct RawSnapshotHead {
  Be64 l1_table_offset;
  Be32 l1_size;
  Be16 id_size;
  Be16 name_size;
  Be32 date_seconds;
  Be32 date_nanoseconds;
  Be64 vm_clock_nanoseconds;
  Be32 vm_state_size;
  Be32 extra_data_size;
};
static_assert(sizeof(RawSnapshotHead) == 40);

struct RawSnapshotExtra {
  Be64 vm_state_size;
  Be64 disk_size;
  Be64 icount;
};
static_assert(sizeof(RawSnapshotExtra) == 24);

inline constexpr std::uint32_t kSnapshotExtraNeededV3 = 16;  // "at least up to byte 55"

struct Snapshot {
  std::uint64_t l1_table_offset = 0;
  std::uint32_t l1_size = 0;  // entries
  std::uint32_t date_seconds = 0;
  std::uint32_t date_nanoseconds = 0;
  std::uint64_t vm_clock_nanoseconds = 0;
  std::uint32_t vm_state_size_32 = 0;  // bytes 32-35; ignored where the extra data has the 64-bit field
  std::vector<std::byte> extra_data;
  std::string id;
  std::string name;

  bool operator==(const Snapshot&) const = default;

  std::uint64_t vm_state_size() const;                     // bytes
  std::uint64_t disk_size(std::uint64_t if_absent) const;  // bytes
};

struct DecodedSnapshot {
  Snapshot snapshot;
  std::uint64_t entry_bytes = 0;  // with padding
};

// Decodes the entry at the start of `bytes`; the error is the number of bytes the entry would have needed.
// Bytes of padding that the table does not have are not asked for.
std::expected<DecodedSnapshot, std::uint64_t> decode_snapshot(std::span<const std::byte> bytes);

// Appends the entry, with padding.
void encode_snapshot(const Snapshot& snapshot, std::vector<std::byte>& out);

}  // namespace cowvet
