#include "corpus/layout.h"

#include <algorithm>

namespace cowvet::corpus {
namespace {

template <typename Range, typename Projection, typename Value>
auto find_or_null(const Range& range, const Value& value, Projection projection) {
  const auto it = std::ranges::find(range, value, projection);
  return it == range.end() ? nullptr : &*it;
}

}  // namespace

const SnapshotLayout* Layout::find_snapshot(const std::string& id) const {
  return find_or_null(snapshots, id,
                      [](const SnapshotLayout& s) -> const std::string& { return s.entry.id; });
}

const BitmapLayout* Layout::find_bitmap(const std::string& name) const {
  return find_or_null(bitmaps, name,
                      [](const BitmapLayout& b) -> const std::string& { return b.entry.name; });
}

const ExtensionLayout* Layout::find_extension(std::uint32_t type) const {
  return find_or_null(extensions, type, &ExtensionLayout::type);
}

const L1Layout* Layout::find_l1(const std::string& snapshot_id) const {
  if (snapshot_id.empty()) return &l1;
  const SnapshotLayout* snapshot = find_snapshot(snapshot_id);
  return snapshot ? &snapshot->l1 : nullptr;
}

std::uint64_t Layout::l2_offset(const L1Layout& table, std::uint64_t guest) const {
  const std::uint64_t index = guest / shape.window_bytes;
  return index < table.l2_offsets.size() ? table.l2_offsets[index] : 0;
}

const MappedCluster* Layout::find_cluster(const L1Layout& table, std::uint64_t guest) const {
  const auto l2 = l2_tables.find(l2_offset(table, guest));
  if (l2 == l2_tables.end()) return nullptr;
  const auto entry = l2->second.entries.find(guest % shape.window_bytes / shape.cluster_bytes);
  return entry == l2->second.entries.end() ? nullptr : &entry->second;
}

}  // namespace cowvet::corpus
