// The walk of one thread over its share of the L2 tables (walk_l2_tables.h). Single tables are scanned for
// runs (walk_alone.cc); tables of one guest range in several disk states go side by side
// (walk_side_by_side.cc).
#pragma once

#include <algorithm>
#include <cstdint>
#include <shared_mutex>
#include <span>
#include <vector>

#include "checker/analysis/claim_batches.h"
#include "checker/analysis/cluster_set.h"
#include "checker/analysis/context.h"
#include "checker/analysis/entry_findings.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/l2_reader.h"
#include "checker/analysis/references.h"
#include "checker/analysis/tables.h"
#include "checker/analysis/walk_l2_tables.h"
#include "checker/format/entries.h"

namespace cowvet {

// Tables of one l1_index: tables.l2[first, first + count), of which only those with `walk` set count.
struct TableGroup {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

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

class L2Walker {
 public:
  L2Walker(Context& context, const Tables& tables, References& references, MemoryGate& gate, WalkMode mode)
      : context_(context),
        geometry_(context.geometry),
        tables_(tables),
        references_(references),
        batches_(references),
        gate_(gate),
        judge_(context),
        reader_(context, mode.report),
        findings_(context, tables),
        extended_(context.header.has_extended_l2()),
        data_file_(context.header.has_data_file()),
        judge_suspects_(mode.find_suspects) {}

  void walk(std::span<const TableGroup> groups);
  const ClusterSet& spared() const { return spared_; }
  Findings& findings() { return findings_.findings(); }
  WalkResult result() const {
    WalkResult result = result_;
    result.complete = reader_.complete();
    return result;
  }

 private:
  // One of several tables that are walked side by side.
  struct TableState {
    std::vector<std::byte> bytes;       // of the present slice; empty: zeros
    std::uint64_t expected_offset = 0;  // as expected_offset_, between two slices
    bool zero = true;                   // no entry seen yet
  };

  // Entries [first, first + length) that name consecutive clusters; `entry` is the first.
  struct Run {
    std::uint64_t first;
    std::uint64_t length;
    std::uint64_t entry;
  };

  void walk_neighbours(std::span<const TableGroup> groups);
  void walk_alone(std::uint32_t at, std::span<const std::byte> bytes);
  bool is_suspect(std::span<const std::byte> bytes, std::uint64_t sound) const;
  void scan_any(const L2Table& table, std::span<const std::byte> bytes);
  void scan_standard(std::span<const std::byte> bytes);
  void claim_runs(const L2Table& table, std::span<const Run> runs);
  void claim_few_runs(const L2Table& table, std::span<const Run> runs);
  void claim_table(const L2Table& table, std::span<const std::byte> bytes);
  std::uint64_t run_length(std::span<const std::byte> bytes, std::uint64_t index, std::uint64_t entry) const;
  void walk_side_by_side(const TableGroup& group);
  void read_slice(std::uint32_t at, std::uint64_t first, std::uint64_t entries,
                  std::vector<std::byte>& bytes);
  bool hold_back(const TableGroup& group, const std::vector<TableState>& states);
  void judge_slice(const L2Table& table, std::uint64_t first, TableState& state,
                   std::span<std::uint64_t> held);
  void claim_column(const TableGroup& group, std::span<const std::uint64_t> held, std::uint64_t entries,
                    std::uint64_t at);
  void merge_column();
  void note_past_end(const L2Table& table, std::uint64_t first, std::span<const std::byte> bytes);

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
  ClaimBatches batches_;
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

}  // namespace cowvet
