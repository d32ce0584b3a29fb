// Every distinct L2 table is read once, in the order of the file, on all threads.
//
// In a table, consecutive entries that name consecutive clusters (all of an image that was written in order)
// are one run and one range operation on the references. Entries that are plain but scattered cost one bit
// operation each; everything else goes to EntryJudge.
//
// Tables that map the same guest range in different disk states are walked side by side: a cluster that they
// share at the same guest offset is claimed once, with the weight of all who share it. What is contested
// afterwards is therefore wrong, and sharing between snapshots never is.
#include "checker/analysis/walk_l2_tables.h"

#include <algorithm>
#include <mutex>
#include <numeric>
#include <shared_mutex>

#include "checker/analysis/entry_findings.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/l2_reader.h"
#include "checker/analysis/parallel.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

// Tables with the same home l1_index: tables.l2[first, first + count).
struct Group {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

std::vector<Group> group_tables(const Tables& tables, WalkMode mode) {
  std::vector<Group> groups;
  for (std::uint32_t i = 0; i < tables.l2.size(); ++i) {
    if (!tables.l2[i].walk || (mode.only && !std::ranges::binary_search(*mode.only, i))) continue;
    if (!groups.empty() && groups.back().first + groups.back().count == i &&
        tables.l2[groups.back().first].l1_index == tables.l2[i].l1_index) {
      ++groups.back().count;
    } else {
      groups.push_back({i, 1});
    }
  }
  const auto offset = [&](const Group& group) { return tables.l2[group.first].offset; };
  if (!std::ranges::is_sorted(groups, {}, offset)) std::ranges::sort(groups, {}, offset);
  return groups;
}

// Lets the cap on memory take effect between two claims: everybody claims under a shared lock; whoever finds
// the cap exceeded waits for the others and shrinks the window.
class MemoryGate {
 public:
  explicit MemoryGate(References& references) : references_(references) {}
  std::shared_lock<std::shared_mutex> enter() { return std::shared_lock(mutex_); }
  void check(std::shared_lock<std::shared_mutex>& entered) {
    if (!references_.over_cap()) return;
    entered.unlock();
    {
      const std::scoped_lock alone(mutex_);
      if (references_.over_cap()) references_.shrink_window();
    }
    entered.lock();
  }

 private:
  References& references_;
  std::shared_mutex mutex_;
};

class Walker {
 public:
  Walker(Context& context, const Tables& tables, References& references, MemoryGate& gate, WalkMode mode)
      : context_(context),
        geometry_(context.geometry),
        tables_(tables),
        references_(references),
        gate_(gate),
        judge_(context),
        reader_(context, mode.report),
        findings_(context, tables),
        extended_(context.header.has_extended_l2()),
        data_file_(context.header.has_data_file()),
        judge_suspects_(mode.find_suspects) {}

  void walk(std::span<const Group> groups);
  const ClusterSet& spared() const { return spared_; }
  Findings& findings() { return findings_.findings(); }
  WalkResult result() const {
    WalkResult result = result_;
    result.complete = reader_.complete();
    return result;
  }

 private:
  void walk_neighbours(std::span<const Group> groups);
  void walk_alone(std::uint32_t at, std::span<const std::byte> bytes);
  bool is_suspect(std::span<const std::byte> bytes) const;
  void claim_table(const L2Table& table, std::span<const std::byte> bytes);
  std::uint64_t run_length(std::span<const std::byte> bytes, std::uint64_t index, std::uint64_t entry) const;
  void walk_side_by_side(const Group& group);
  void judge_slice(const L2Table& table, std::uint64_t first, std::span<const std::byte> bytes,
                   std::span<std::uint64_t> held);
  void claim_column(const Group& group, std::span<const std::uint64_t> held, std::uint64_t entries,
                    std::uint64_t at);
  void merge_column();
  void note_past_end(const L2Table& table, std::uint64_t first, std::span<const std::byte> bytes);

  // Entries [first, first + length) that name consecutive clusters; `entry` is the first.
  struct Run {
    std::uint64_t first;
    std::uint64_t length;
    std::uint64_t entry;
  };
  struct Claimed {
    std::uint64_t target;
    std::uint64_t weight;
    Claim kind;
  };

  std::uint64_t entry_at(std::span<const std::byte> bytes, std::uint64_t index) const {
    return load_big_endian<std::uint64_t>(bytes.data() + index * geometry_.l2_entry_bytes);
  }
  SubclusterBitmap subclusters_at(std::span<const std::byte> bytes, std::uint64_t index) const {
    if (!extended_) return {};
    return {load_big_endian<std::uint64_t>(bytes.data() + index * geometry_.l2_entry_bytes + 8)};
  }
  // A standard entry that needs no judgement, in an image with or without a data file.
  bool is_sound(const L2Table& table, std::uint64_t index, std::uint64_t entry,
                SubclusterBitmap subclusters) const {
    if (!judge_.is_plain(entry) || subclusters.conflict() != 0) return false;
    if (!data_file_) return (entry & kOffsetMask) >> geometry_.cluster_bits < geometry_.file_clusters;
    const std::uint64_t guest = (table.l1_index * geometry_.l2_entries + index) * geometry_.cluster_bytes;
    return (entry & kCopied) != 0 && (entry & kOffsetMask) == guest;
  }
  Claim claim_of(const L2Table& table, std::uint64_t entry) const {
    if (!table.active) return Claim::other;
    return entry & kCopied ? Claim::copied : Claim::clear;
  }
  void claim_held(const Held& held, Claim standard, std::uint64_t weight) {
    if (held.kind == Held::Kind::nothing) return;
    if (data_file_) {
      if (held.first < geometry_.file_clusters) spared_.add(held.first, 1);
      return;
    }
    references_.claim(held.first, held.count,
                      held.kind == Held::Kind::compressed ? Claim::compressed : standard, weight);
  }
  // The counters of qemu-img check: a cluster is fragmented where it does not follow its predecessor.
  void count_standard(const L2Table& table, std::uint64_t entry, std::uint64_t clusters) {
    if (!table.active) return;
    std::uint64_t offset = entry & kOffsetMask;
    // A data file's first cluster lies at offset 0; where it reads as zeros, QEMU takes it for one without a
    // place.
    if (offset == 0 && (entry & L2Entry::kZero) != 0 && !extended_) {
      if (--clusters == 0) return;
      offset += geometry_.cluster_bytes;
    }
    result_.allocated_clusters += clusters;
    result_.fragmented_clusters += expected_offset_ != 0 && offset != expected_offset_;
    expected_offset_ = offset + clusters * geometry_.cluster_bytes;
  }
  void count_compressed(const L2Table& table) {
    if (!table.active) return;
    ++result_.allocated_clusters;
    ++result_.compressed_clusters;
    ++result_.fragmented_clusters;
  }
  void judge_and_claim(const L2Table& table, std::uint64_t index, std::uint64_t entry,
                       SubclusterBitmap subclusters) {
    const Held held = judge_.judge(table, index, entry, subclusters, findings_);
    if (entry & kCompressed) {
      count_compressed(table);
    } else if (held.kind == Held::Kind::standard || (data_file_ && (entry & (kOffsetMask | kCopied)) != 0)) {
      count_standard(table, entry, 1);
    }
    claim_held(held, claim_of(table, entry), table.weight);
  }

  Context& context_;
  const Geometry& geometry_;
  const Tables& tables_;
  References& references_;
  ClusterSet spared_;
  MemoryGate& gate_;
  const EntryJudge judge_;
  L2Reader reader_;
  EntryFindings findings_;
  const bool extended_;
  const bool data_file_;
  const bool judge_suspects_;
  WalkResult result_;
  std::shared_lock<std::shared_mutex> entered_;
  std::vector<Run> runs_;
  std::vector<std::uint64_t> odd_;  // indices of entries that need a judgement
  std::vector<Claimed> column_;
  std::uint64_t expected_offset_ = 0;  // of the next allocated cluster in this table; 0: none yet
};

void Walker::walk(std::span<const Group> groups) {
  entered_ = gate_.enter();
  while (!groups.empty()) {
    std::size_t together = 1;
    if (groups[0].count == 1) {
      while (together < groups.size() && groups[together].count == 1 &&
             tables_.l2[groups[together].first].offset ==
                 tables_.l2[groups[0].first].offset + together * geometry_.cluster_bytes)
        ++together;
      walk_neighbours(groups.first(together));
    } else {
      walk_side_by_side(groups[0]);
    }
    groups = groups.subspan(together);
    context_.progress.advance(together);
  }
  entered_.unlock();
}

// Single tables that lie next to each other in the file.
void Walker::walk_neighbours(std::span<const Group> groups) {
  const L2Table& first = tables_.l2[groups[0].first];
  const std::span<const std::byte> bytes =
      reader_.read(first.offset, groups.size() * geometry_.cluster_bytes,
                   Place{.structure = Structure::l2_table, .l1_index = first.l1_index});
  if (bytes.empty()) {
    for (const Group& group : groups) result_.zero_tables.push_back(group.first);
    return;
  }
  for (std::size_t i = 0; i < groups.size(); ++i)
    walk_alone(groups[i].first, bytes.subspan(i * geometry_.cluster_bytes, geometry_.cluster_bytes));
}

// Entries from `index` on that continue `entry` cluster by cluster, itself included.
std::uint64_t Walker::run_length(std::span<const std::byte> bytes, std::uint64_t index,
                                 std::uint64_t entry) const {
  // A run may not leave the file, nor carry out of the offset bits.
  const std::uint64_t room =
      data_file_ ? (kOffsetMask - (entry & kOffsetMask)) / geometry_.cluster_bytes + 1
                 : geometry_.file_clusters - ((entry & kOffsetMask) >> geometry_.cluster_bits);
  const std::uint64_t most = std::min(geometry_.l2_entries - index, room);
  std::uint64_t length = 1;
  while (length < most && entry_at(bytes, index + length) == entry + length * geometry_.cluster_bytes &&
         subclusters_at(bytes, index + length).conflict() == 0)
    ++length;
  return length;
}

void Walker::walk_alone(std::uint32_t at, std::span<const std::byte> bytes) {
  const L2Table& table = tables_.l2[at];
  runs_.clear();
  odd_.clear();
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
  if (runs_.empty() && odd_.empty()) result_.zero_tables.push_back(at);
  if (judge_suspects_ && is_suspect(bytes)) {
    result_.suspects.push_back(at);
    return;
  }
  claim_table(table, bytes);
  note_past_end(table, 0, bytes);
  findings_.end_table();
}

// A table in which most entries could not be entries at all.
bool Walker::is_suspect(std::span<const std::byte> bytes) const {
  constexpr std::uint64_t kFewest = 8;
  if (odd_.size() < kFewest) return false;
  std::uint64_t sound = 0;
  for (const Run& run : runs_) sound += run.length;
  std::uint64_t implausible = 0;
  for (const std::uint64_t index : odd_)
    implausible += !judge_.is_plausible(entry_at(bytes, index), subclusters_at(bytes, index));
  return implausible >= kFewest && implausible > sound + odd_.size() - implausible;
}

// Claims what the scan of walk_alone found, in the order of the table.
void Walker::claim_table(const L2Table& table, std::span<const std::byte> bytes) {
  expected_offset_ = 0;
  std::size_t next_odd = 0;
  const auto judge_odd_before = [&](std::uint64_t end) {
    for (; next_odd < odd_.size() && odd_[next_odd] < end; ++next_odd) {
      const std::uint64_t index = odd_[next_odd];
      judge_and_claim(table, index, entry_at(bytes, index), subclusters_at(bytes, index));
      if (next_odd % 256 == 255) gate_.check(entered_);
    }
  };
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    judge_odd_before(run.first);
    count_standard(table, run.entry, run.length);
    if (!data_file_)
      references_.claim((run.entry & kOffsetMask) >> geometry_.cluster_bits, run.length,
                        claim_of(table, run.entry), table.weight);
    if (i % 256 == 255) gate_.check(entered_);
  }
  judge_odd_before(geometry_.l2_entries);
  gate_.check(entered_);
}

// Several tables of one guest range, in slices that keep all of them in a small buffer.
void Walker::walk_side_by_side(const Group& group) {
  constexpr std::uint64_t kBufferEntries = 128 * 1024;
  std::uint64_t slice = geometry_.l2_entries;
  while (slice > 64 && slice * group.count > kBufferEntries) slice /= 2;
  std::vector<std::uint64_t> held(slice * group.count);
  std::vector<std::uint64_t> expected_offsets(group.count, 0);
  for (std::uint64_t first = 0; first < geometry_.l2_entries; first += slice) {
    std::ranges::fill(held, 0);
    for (std::uint32_t k = 0; k < group.count; ++k) {
      const L2Table& table = tables_.l2[group.first + k];
      const std::span<const std::byte> bytes =
          reader_.read(table.offset + first * geometry_.l2_entry_bytes, slice * geometry_.l2_entry_bytes,
                       Place{.structure = Structure::l2_table,
                             .l1_index = table.l1_index,
                             .owner = tables_.states[table.state].owner});
      if (bytes.empty()) continue;
      expected_offset_ = expected_offsets[k];
      judge_slice(table, first, bytes, std::span(held).subspan(k * slice, slice));
      note_past_end(table, first, bytes);
      findings_.end_table();
      expected_offsets[k] = expected_offset_;
    }
    if (data_file_) continue;
    for (std::uint64_t at = 0; at < slice; ++at) {
      claim_column(group, held, slice, at);
      if (at % 256 == 0) gate_.check(entered_);
    }
  }
}

// Fills `held` with the entries that hold clusters, judged.
void Walker::judge_slice(const L2Table& table, std::uint64_t first, std::span<const std::byte> bytes,
                         std::span<std::uint64_t> held) {
  for (std::uint64_t at = 0; at < held.size(); ++at) {
    const std::uint64_t entry = entry_at(bytes, at);
    const SubclusterBitmap subclusters = subclusters_at(bytes, at);
    if (entry == 0 && subclusters.raw == 0) continue;
    const std::uint64_t index = first + at;
    if (is_sound(table, index, entry, subclusters)) {
      count_standard(table, entry, 1);
      held[at] = entry;
      continue;
    }
    const Held judged = judge_.judge(table, index, entry, subclusters, findings_);
    if (entry & kCompressed) {
      count_compressed(table);
    } else if (judged.kind == Held::Kind::standard) {
      count_standard(table, entry, 1);
    }
    if (judged.kind != Held::Kind::nothing) held[at] = entry;
    if (data_file_) claim_held(judged, Claim::other, table.weight);
  }
}

// The entries of one guest cluster in all tables of the group: each distinct target is claimed once.
void Walker::claim_column(const Group& group, std::span<const std::uint64_t> held, std::uint64_t entries,
                          std::uint64_t at) {
  column_.clear();
  for (std::uint32_t k = 0; k < group.count; ++k) {
    const std::uint64_t entry = held[k * entries + at];
    if (entry == 0) continue;
    const L2Table& table = tables_.l2[group.first + k];
    // Clusters are the same where offset and kind agree; COPIED and the zero bit do not matter.
    const std::uint64_t target =
        entry & kCompressed ? entry & ~kCopied : entry & kOffsetMask & ~(geometry_.cluster_bytes - 1);
    if (column_.empty() || column_.back().target != target) column_.push_back({target, 0, Claim::other});
    column_.back().weight += table.weight;
    if (table.active) column_.back().kind = claim_of(table, entry);
  }
  if (column_.size() > 1) merge_column();
  for (const Claimed& claimed : column_)
    claim_held(judge_.held(claimed.target), claimed.kind, claimed.weight);
}

// Makes one of all that have the same target; the active disk's kind of claim prevails.
void Walker::merge_column() {
  std::ranges::sort(column_, {}, &Claimed::target);
  std::size_t kept = 0;
  for (std::size_t i = 1; i < column_.size(); ++i) {
    if (column_[i].target != column_[kept].target) {
      column_[++kept] = column_[i];
      continue;
    }
    column_[kept].weight += column_[i].weight;
    if (column_[i].kind != Claim::other) column_[kept].kind = column_[i].kind;
  }
  column_.resize(kept + 1);
}

// l2/past-end: entries behind the last cluster of the disk, in the table that the disk ends in. (VM state
// begins at the next L1 entry.)
void Walker::note_past_end(const L2Table& table, std::uint64_t first, std::span<const std::byte> bytes) {
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

}  // namespace

WalkResult walk_l2_tables(Context& context, const Tables& tables, References& references, ClusterSet& spared,
                          WalkMode mode) {
  const std::vector<Group> groups = group_tables(tables, mode);
  // Pieces of about a megabyte: large enough for long reads, small enough to share out.
  const std::uint64_t per_piece = std::max<std::uint64_t>(1, (1 << 20) / context.geometry.cluster_bytes);
  const std::uint64_t pieces = divide_up(groups.size(), per_piece);
  const unsigned threads = thread_count(context.options.threads, pieces);
  context.progress.begin("walk_l2_tables", groups.size());

  MemoryGate gate(references);
  std::vector<std::unique_ptr<Walker>> walkers;
  for (unsigned i = 0; i < threads; ++i)
    walkers.push_back(std::make_unique<Walker>(context, tables, references, gate, mode));
  parallel_for(threads, pieces, [&](std::uint64_t piece, unsigned worker) {
    const std::uint64_t first = piece * per_piece;
    walkers[worker]->walk(std::span(groups).subspan(first, std::min(per_piece, groups.size() - first)));
  });

  WalkResult sum;
  for (const auto& walker : walkers) {
    if (mode.report) context.findings.absorb(std::move(walker->findings()));
    spared.merge(walker->spared());
    const WalkResult part = walker->result();
    sum.complete = sum.complete && part.complete;
    sum.allocated_clusters += part.allocated_clusters;
    sum.fragmented_clusters += part.fragmented_clusters;
    sum.compressed_clusters += part.compressed_clusters;
    sum.zero_tables.insert(sum.zero_tables.end(), part.zero_tables.begin(), part.zero_tables.end());
    sum.suspects.insert(sum.suspects.end(), part.suspects.begin(), part.suspects.end());
  }
  std::ranges::sort(sum.zero_tables);
  std::ranges::sort(sum.suspects);
  return sum;
}

}  // namespace cowvet
