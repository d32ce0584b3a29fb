// Tables that no other disk state has a version of: all of them where there are no snapshots. Consecutive
// entries that name consecutive clusters (all of an image that was written in order) are one run and one
// range operation on the references. Entries that are plain but scattered are claimed in batches; everything
// else goes to EntryJudge.
#include <algorithm>

#include "checker/analysis/consecutive_entries.h"
#include "checker/analysis/l2_walker.h"

namespace cowvet {

// Single tables that lie next to each other in the file.
void L2Walker::walk_neighbours(std::span<const TableGroup> groups) {
  const L2Table& first = tables_.l2[groups[0].first];
  const std::span<const std::byte> bytes =
      reader_.read(first.offset, groups.size() * geometry_.cluster_bytes,
                   Place{.structure = Structure::l2_table, .l1_index = first.l1_index});
  if (bytes.empty()) {
    for (const TableGroup& group : groups) result_.zero_tables.push_back(group.first);
    return;
  }
  for (std::size_t i = 0; i < groups.size(); ++i)
    walk_alone(groups[i].first, bytes.subspan(i * geometry_.cluster_bytes, geometry_.cluster_bytes));
}

// Entries from `index` on that continue `entry` cluster by cluster, itself included.
std::uint64_t L2Walker::run_length(std::span<const std::byte> bytes, std::uint64_t index,
                                   std::uint64_t entry) const {
  // A run may not leave the file, nor carry out of the offset bits.
  const std::uint64_t room =
      data_file_ ? (kOffsetMask - (entry & kOffsetMask)) / geometry_.cluster_bytes + 1
                 : geometry_.file_clusters - ((entry & kOffsetMask) >> geometry_.cluster_bits);
  const std::uint64_t most = std::min(geometry_.l2_entries - index, room);
  if (!extended_) {
    const std::span rest = bytes.subspan((index + 1) * sizeof entry, (most - 1) * sizeof entry);
    return 1 + count_consecutive(rest, entry + geometry_.cluster_bytes, geometry_.cluster_bytes);
  }
  std::uint64_t length = 1;
  while (length < most && entry_at(bytes, index + length) == entry + length * geometry_.cluster_bytes &&
         subclusters_at(bytes, index + length).conflict() == 0)
    ++length;
  return length;
}

void L2Walker::scan_any(const L2Table& table, std::span<const std::byte> bytes) {
  for (std::uint64_t index = 0; index < geometry_.l2_entries;) {
    const std::uint64_t entry = entry_at(bytes, index);
    const SubclusterBitmap subclusters = subclusters_at(bytes, index);
    std::uint64_t length = 1;
    if (entry != 0 && is_sound(table, index, entry, subclusters)) {
      length = run_length(bytes, index, entry);
      runs_.push_back({index, length, entry});
    } else if (entry != 0 || subclusters.allocated() != 0) {
      odd_.push_back(index);
    }
    index += length;
  }
}

// The same where an entry is 8 bytes long and names a cluster of this file: in almost every image.
void L2Walker::scan_standard(std::span<const std::byte> bytes) {
  const std::uint64_t entries = geometry_.l2_entries;
  const std::uint64_t step = geometry_.cluster_bytes;
  const std::uint64_t end_offset = geometry_.file_clusters << geometry_.cluster_bits;
  const auto at = [&](std::uint64_t index) {
    return load_big_endian<std::uint64_t>(bytes.data() + index * sizeof(std::uint64_t));
  };
  for (std::uint64_t index = 0; index < entries;) {
    const std::uint64_t entry = at(index);
    if (judge_.is_plain(entry) && (entry & kOffsetMask) < end_offset) {
      const bool alone = index + 1 == entries || at(index + 1) != entry + step;
      const std::uint64_t length = alone ? 1 : run_length(bytes, index, entry);
      runs_.push_back({index, length, entry});
      index += length;
    } else {
      if (entry != 0) odd_.push_back(index);
      ++index;
    }
  }
}

void L2Walker::walk_alone(std::uint32_t at, std::span<const std::byte> bytes) {
  const L2Table& table = tables_.l2[at];
  runs_.clear();
  odd_.clear();
  if (extended_ || data_file_)
    scan_any(table, bytes);
  else
    scan_standard(bytes);
  if (runs_.empty() && odd_.empty()) result_.zero_tables.push_back(at);
  std::uint64_t sound = 0;
  for (const Run& run : runs_) sound += run.length;
  if (judge_suspects_ && is_suspect(bytes, sound)) {
    result_.suspects.push_back(at);
    result_.held_back.push_back(at);
    return;
  }
  claim_table(table, bytes);
  note_past_end(table, 0, bytes);
  findings_.end_table();
}

// A table in which most entries could not be entries at all: `odd_` of them are not sound.
bool L2Walker::is_suspect(std::span<const std::byte> bytes, std::uint64_t sound) const {
  constexpr std::uint64_t kFewest = 8;
  if (odd_.size() < kFewest) return false;
  std::uint64_t implausible = 0;
  for (const std::uint64_t index : odd_)
    implausible += !judge_.is_plausible(entry_at(bytes, index), subclusters_at(bytes, index));
  return implausible >= kFewest && implausible > sound + odd_.size() - implausible;
}

// Claims what the scan of walk_alone found, in the order of the table.
void L2Walker::claim_table(const L2Table& table, std::span<const std::byte> bytes) {
  expected_offset_ = 0;
  std::span<const Run> left(runs_);
  for (std::size_t i = 0; i < odd_.size(); ++i) {
    const std::uint64_t index = odd_[i];
    if (!left.empty() && left[0].first < index) {
      const auto behind = std::ranges::lower_bound(left, index, {}, &Run::first);
      const auto before = static_cast<std::size_t>(behind - left.begin());
      claim_runs(table, left.first(before));
      left = left.subspan(before);
    }
    judge_and_claim(table, index, entry_at(bytes, index), subclusters_at(bytes, index));
    if (i % 256 == 255) gate_.check(entered_);
  }
  claim_runs(table, left);
  gate_.check(entered_);
}

void L2Walker::claim_runs(const L2Table& table, std::span<const Run> runs) {
  constexpr std::size_t kTogether = 256;
  for (; runs.size() > kTogether; runs = runs.subspan(kTogether)) {
    claim_few_runs(table, runs.first(kTogether));
    gate_.check(entered_);
  }
  claim_few_runs(table, runs);
}

void L2Walker::claim_few_runs(const L2Table& table, std::span<const Run> runs) {
  for (const Run& run : runs) count_standard(table, run.entry, run.length);
  if (data_file_) return;
  for (const Run& run : runs) {
    const std::uint64_t first = (run.entry & kOffsetMask) >> geometry_.cluster_bits;
    const Claim kind = claim_of(table, run.entry);
    if (batches_.worthwhile(run.length)) {
      batches_.add(first, run.length, kind, table.weight);
    } else {
      references_.claim(first, run.length, kind, table.weight);
    }
  }
}

// l2/past-end: entries behind the last cluster of the disk, in the table that the disk ends in. (VM state
// begins at the next L1 entry.)
void L2Walker::note_past_end(const L2Table& table, std::uint64_t first, std::span<const std::byte> bytes) {
  const std::uint64_t disk_clusters =
      divide_up(tables_.states[table.state].disk_bytes, geometry_.cluster_bytes);
  const std::uint64_t table_begin = table.l1_index * geometry_.l2_entries;
  if (disk_clusters <= table_begin || disk_clusters >= table_begin + geometry_.l2_entries) return;
  const std::uint64_t end = first + bytes.size() / geometry_.l2_entry_bytes;
  for (std::uint64_t index = std::max(first, disk_clusters - table_begin); index < end; ++index) {
    const std::uint64_t entry = entry_at(bytes, index - first);
    if ((entry & (kOffsetMask | kCompressed)) != 0) findings_.add(rule("l2/past-end"), table, index, entry);
  }
}

}  // namespace cowvet
