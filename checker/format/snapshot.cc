#include "checker/format/snapshot.h"

#include <cstring>

namespace cowvet {
namespace {

std::uint64_t extra_field(const std::vector<std::byte>& extra, std::size_t at, std::uint64_t if_absent) {
  return extra.size() >= at + 8 ? load_big_endian<std::uint64_t>(extra.data() + at) : if_absent;
}

}  // namespace

std::uint64_t Snapshot::vm_state_size() const {
  return extra_field(extra_data, offsetof(RawSnapshotExtra, vm_state_size), vm_state_size_32);
}

std::uint64_t Snapshot::disk_size(std::uint64_t if_absent) const {
  return extra_field(extra_data, offsetof(RawSnapshotExtra, disk_size), if_absent);
}

std::expected<DecodedSnapshot, std::uint64_t> decode_snapshot(std::span<const std::byte> bytes) {
  RawSnapshotHead head;
  if (bytes.size() < sizeof head) return std::unexpected(sizeof head);
  std::memcpy(&head, bytes.data(), sizeof head);
  const std::uint64_t extra_at = sizeof head;
  const std::uint64_t id_at = extra_at + head.extra_data_size;
  const std::uint64_t name_at = id_at + head.id_size;
  const std::uint64_t end = name_at + head.name_size;
  if (bytes.size() < end) return std::unexpected(end);

  const auto* text = reinterpret_cast<const char*>(bytes.data());
  return DecodedSnapshot{{.l1_table_offset = head.l1_table_offset,
                          .l1_size = head.l1_size,
                          .date_seconds = head.date_seconds,
                          .date_nanoseconds = head.date_nanoseconds,
                          .vm_clock_nanoseconds = head.vm_clock_nanoseconds,
                          .vm_state_size_32 = head.vm_state_size,
                          .extra_data = {bytes.begin() + static_cast<std::ptrdiff_t>(extra_at),
                                         bytes.begin() + static_cast<std::ptrdiff_t>(id_at)},
                          .id = std::string(text + id_at, head.id_size),
                          .name = std::string(text + name_at, head.name_size)},
                         (end + 7) / 8 * 8};
}

void encode_snapshot(const Snapshot& snapshot, std::vector<std::byte>& out) {
  RawSnapshotHead head;
  head.l1_table_offset = snapshot.l1_table_offset;
  head.l1_size = snapshot.l1_size;
  head.id_size = static_cast<std::uint16_t>(snapshot.id.size());
  head.name_size = static_cast<std::uint16_t>(snapshot.name.size());
  head.date_seconds = snapshot.date_seconds;
  head.date_nanoseconds = snapshot.date_nanoseconds;
  head.vm_clock_nanoseconds = snapshot.vm_clock_nanoseconds;
  head.vm_state_size = snapshot.vm_state_size_32;
  head.extra_data_size = static_cast<std::uint32_t>(snapshot.extra_data.size());
  const auto append = [&out](const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    out.insert(out.end(), bytes, bytes + size);
  };
  append(&head, sizeof head);
  append(snapshot.extra_data.data(), snapshot.extra_data.size());
  append(snapshot.id.data(), snapshot.id.size());
  append(snapshot.name.data(), snapshot.name.size());
  const std::size_t entry =
      sizeof head + snapshot.extra_data.size() + snapshot.id.size() + snapshot.name.size();
  out.resize(out.size() + (8 - entry % 8) % 8);
}

}  // namespace cowvet
