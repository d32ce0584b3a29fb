#include "checker/analysis/distinct_l2_tables.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_set>

#include "checker/format/entries.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kPieceBytes = 64 << 10;
constexpr std::uint64_t kL1EntryBytes = 8;

// Byte ranges that were seen.
class SeenRanges {
 public:
  // Adds [begin, end) and calls `visit(begin, end)` for each part of it that is new.
  template <typename Visit>
  void add(std::uint64_t begin, std::uint64_t end, Visit visit) {
    auto at = ends_by_begin_.upper_bound(begin);
    if (at != ends_by_begin_.begin() && std::prev(at)->second >= begin) --at;
    const std::uint64_t all_begin = at != ends_by_begin_.end() ? std::min(begin, at->first) : begin;
    std::uint64_t all_end = end;
    std::uint64_t next = begin;
    while (at != ends_by_begin_.end() && at->first <= end) {
      if (next < at->first) visit(next, at->first);
      next = std::max(next, at->second);
      all_end = std::max(all_end, at->second);
      at = ends_by_begin_.erase(at);
    }
    if (next < end) visit(next, end);
    if (all_begin < all_end) ends_by_begin_.emplace(all_begin, all_end);
  }

 private:
  std::map<std::uint64_t, std::uint64_t> ends_by_begin_;  // neither touching nor overlapping
};

class Finder {
 public:
  explicit Finder(const Context& context) : context_(context) {}

  void add(DiskState state) {
    if (state.l1_usable) {
      const std::uint64_t end = state.l1_offset + state.l1_entries * kL1EntryBytes;
      seen_.add(state.l1_offset, end, [&](std::uint64_t from, std::uint64_t to) { scan(state, from, to); });
    }
    found_.states.push_back(std::move(state));
  }

  DistinctL2Tables take() {
    std::ranges::sort(found_.tables, {}, &DistinctL2Table::offset);
    return std::move(found_);
  }

 private:
  void scan(const DiskState& state, std::uint64_t begin, std::uint64_t end) {
    while (begin < end) {
      const DataExtent data = context_.image.next_data(begin);
      if (data.begin >= data.end || data.begin >= end) return;
      begin = std::max(begin, data.begin - data.begin % kL1EntryBytes);
      buffer_.resize(std::min(kPieceBytes, end - begin));
      if (context_.image.read(begin, buffer_)) scan_entries(state, begin);
      begin += buffer_.size();
    }
  }

  void scan_entries(const DiskState& state, std::uint64_t begin) {
    for (std::uint64_t at = 0; at + kL1EntryBytes <= buffer_.size(); at += kL1EntryBytes) {
      const std::uint64_t offset = L1Entry{load_big_endian<std::uint64_t>(buffer_.data() + at)}.l2_offset();
      if (offset == 0 || !context_.aligned(offset)) continue;
      if (!context_.clusters_in_file(offset, context_.geometry.cluster_bytes)) continue;
      if (!offsets_.insert(offset).second) continue;
      found_.tables.push_back({.offset = offset,
                               .l1_index = (begin + at - state.l1_offset) / kL1EntryBytes,
                               .state = static_cast<std::uint32_t>(found_.states.size())});
    }
  }

  const Context& context_;
  SeenRanges seen_;
  std::unordered_set<std::uint64_t> offsets_;
  std::vector<std::byte> buffer_;
  DistinctL2Tables found_;
};

}  // namespace

DistinctL2Tables find_distinct_l2_tables(const Context& context) {
  Finder finder(context);
  finder.add(active_disk(context));
  for (const SnapshotRecord& record : context.snapshots) finder.add(snapshot_disk(context, record));
  return finder.take();
}

}  // namespace cowvet
