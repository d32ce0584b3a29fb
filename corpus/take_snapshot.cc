#include <algorithm>
#include <cstddef>
#include <span>

#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

// "it starts at the first cluster described by first L1 table entry that doesn't describe a regular guest
// cluster"
std::uint64_t vm_state_offset(const Draft& draft) {
  const std::uint64_t window = draft.layout.shape.window_bytes;
  return divide_up(draft.disk_bytes, window) * window;
}

// Fields that are defined, then bytes that nobody knows.
std::vector<std::byte> extra_data(const TakeSnapshot& step, std::uint64_t disk_size) {
  RawSnapshotExtra known;
  known.vm_state_size = step.vm_state_bytes;
  known.disk_size = disk_size;
  known.icount = ~std::uint64_t{0};
  std::vector<std::byte> extra(step.extra_bytes, std::byte{0x5e});
  std::ranges::copy(std::as_bytes(std::span(&known, 1)).first(std::min(extra.size(), sizeof known)),
                    extra.begin());
  return extra;
}

Snapshot describe(const Draft& draft, const TakeSnapshot& step) {
  const bool fits = step.vm_state_bytes <= 0xffffffff;
  return {.l1_size = static_cast<std::uint32_t>(draft.layout.l1.l2_offsets.size()),
          .date_seconds = step.date_seconds,
          .vm_clock_nanoseconds = 1'000'000'000,
          .vm_state_size_32 = fits ? static_cast<std::uint32_t>(step.vm_state_bytes) : 0,
          .extra_data = extra_data(step, step.disk_size.value_or(draft.disk_bytes)),
          .id = step.id,
          .name = step.name};
}

}  // namespace

// As QEMU does it: the VM state is written to the active disk, behind its end, and given up there once the
// snapshot has it.
void take_snapshot(Draft& draft, const TakeSnapshot& step) {
  const GuestDisk disk = draft.disk;
  const GuestRange vm_state{vm_state_offset(draft), draft.layout.shape.round_up(step.vm_state_bytes)};
  if (vm_state.length != 0) write_data(draft, vm_state, {Pattern::Kind::offsets});
  Layout& layout = draft.layout;
  SnapshotLayout snapshot{.entry = describe(draft, step), .l1 = layout.l1};
  const std::uint64_t clusters = layout.shape.clusters_for(layout.l1.l2_offsets.size() * 8);
  snapshot.l1.offset = layout.clusters.allocate(clusters, "L1 table of snapshot " + step.id);
  snapshot.entry.l1_table_offset = snapshot.l1.offset;
  retain_l1(draft, snapshot.l1);
  layout.snapshots.push_back(std::move(snapshot));
  draft.snapshot_disks.insert_or_assign(step.id, disk);
  if (vm_state.length != 0) discard(draft, vm_state);
  draft.disk = disk;
}

void delete_snapshot(Draft& draft, const std::string& id) {
  const SnapshotLayout* snapshot = draft.layout.find_snapshot(id);
  if (!snapshot) return draft.fail("there is no snapshot " + id);
  Layout& layout = draft.layout;
  release_l1(draft, snapshot->l1);
  const std::uint64_t clusters = layout.shape.clusters_for(snapshot->l1.l2_offsets.size() * 8);
  for (std::uint64_t i = 0; i < clusters; ++i)
    layout.clusters.release(snapshot->l1.offset + i * layout.shape.cluster_bytes);
  layout.snapshots.erase(layout.snapshots.begin() + (snapshot - layout.snapshots.data()));
  draft.snapshot_disks.erase(id);
}

void revert_to_snapshot(Draft& draft, const std::string& id) {
  const SnapshotLayout* snapshot = draft.layout.find_snapshot(id);
  if (!snapshot) return draft.fail("there is no snapshot " + id);
  L1Layout& active = draft.layout.l1;
  if (snapshot->l1.l2_offsets.size() > active.l2_offsets.size())
    return draft.fail("the active L1 table is shorter than that of the snapshot");
  retain_l1(draft, snapshot->l1);
  release_l1(draft, active);
  std::ranges::fill(active.l2_offsets, 0);
  std::ranges::copy(snapshot->l1.l2_offsets, active.l2_offsets.begin());
  draft.disk = draft.snapshot_disks.at(id);
  draft.disk_bytes = snapshot->entry.disk_size(draft.disk_bytes);
}

void write_snapshot_table(Draft& draft) {
  Layout& layout = draft.layout;
  if (layout.snapshots.empty()) return;
  std::vector<std::byte> table;
  for (SnapshotLayout& snapshot : layout.snapshots) {
    snapshot.entry_offset = table.size();
    encode_snapshot(snapshot.entry, table);
  }
  layout.snapshot_table_offset =
      layout.clusters.allocate(layout.shape.clusters_for(table.size()), "snapshot table");
  for (SnapshotLayout& snapshot : layout.snapshots) snapshot.entry_offset += layout.snapshot_table_offset;
  put_bytes(draft.image, layout.snapshot_table_offset, table);
}

}  // namespace cowvet::corpus
