#include <algorithm>

#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

constexpr std::uint64_t kMostL1Entries = (32 << 20) / 8;

std::uint64_t windows_for(const Draft& draft, std::uint64_t bytes) {
  return divide_up(bytes, draft.layout.shape.window_bytes);
}

// L1 entries for the disk and the largest VM state that will ever lie behind it.
std::uint64_t l1_entries(const Draft& draft) {
  std::uint64_t vm_state = 0;
  for (const Step& step : draft.recipe.steps)
    if (const auto* snapshot = std::get_if<TakeSnapshot>(&step.action))
      vm_state = std::max(vm_state, windows_for(draft, snapshot->vm_state_bytes));
  return std::max<std::uint64_t>(1, windows_for(draft, draft.disk_bytes)) + vm_state;
}

void allocate_l1(Draft& draft, std::uint64_t entries) {
  Layout& layout = draft.layout;
  if (entries > kMostL1Entries) return draft.fail("the L1 table becomes larger than 32 MiB");
  layout.l1.l2_offsets.resize(entries);
  layout.l1.offset = layout.clusters.allocate(
      std::max<std::uint64_t>(1, layout.shape.clusters_for(entries * 8)), "L1 table");
}

void release_l1_clusters(Draft& draft) {
  const L1Layout& l1 = draft.layout.l1;
  const Shape& shape = draft.layout.shape;
  for (std::uint64_t i = 0; i < shape.clusters_for(l1.l2_offsets.size() * 8); ++i)
    draft.layout.clusters.release(l1.offset + i * shape.cluster_bytes);
}

// L2 tables of nothing but what lies behind the end are given up, as QEMU does.
void release_windows(Draft& draft, std::uint64_t first) {
  L1Layout gone;
  for (std::uint64_t i = first; i < draft.layout.l1.l2_offsets.size(); ++i)
    gone.l2_offsets.push_back(std::exchange(draft.layout.l1.l2_offsets[i], 0));
  release_l1(draft, gone);
}

void shrink(Draft& draft, std::uint64_t bytes) {
  const Shape& shape = draft.layout.shape;
  const std::uint64_t first = shape.round_up(bytes);
  const std::uint64_t window_end = windows_for(draft, bytes) * shape.window_bytes;
  release_windows(draft, windows_for(draft, bytes));
  const std::uint64_t end = std::min(window_end, shape.round_up(draft.disk_bytes));
  if (first < end && draft.layout.l2_offset(draft.layout.l1, first) != 0)
    discard(draft, {first, end - first});
  if (first < draft.disk_bytes) draft.disk.discard({first, draft.disk_bytes - first});
}

}  // namespace

void place_l1(Draft& draft) {
  allocate_l1(draft, draft.recipe.image.l1_entries.value_or(l1_entries(draft)));
}

// A larger disk may need a larger L1 table, elsewhere; a smaller one keeps it.
void resize_disk(Draft& draft, std::uint64_t bytes) {
  if (draft.recipe.backing) return draft.fail("is not possible with a backing file");
  if (bytes < draft.disk_bytes) shrink(draft, bytes);
  draft.disk_bytes = bytes;
  const std::uint64_t entries = l1_entries(draft);
  if (entries <= draft.layout.l1.l2_offsets.size()) return;
  release_l1_clusters(draft);
  allocate_l1(draft, entries);
}

}  // namespace cowvet::corpus
