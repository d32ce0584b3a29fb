// Tables that map the same guest range in different disk states. A cluster that they share at the same guest
// offset is claimed once, with the weight of all who share it. What is contested afterwards is therefore
// wrong, and sharing between snapshots never is.
#include "checker/analysis/l2_walker.h"

namespace cowvet {

// In slices, so that all tables of the group fit in a small buffer.
void L2Walker::walk_side_by_side(const TableGroup& group) {
  static constexpr std::uint64_t kBufferEntries = std::uint64_t{128} * 1024;
  std::uint64_t slice = geometry_.l2_entries;
  while (slice > 64 && slice * group.count > kBufferEntries) slice /= 2;
  std::vector<TableState> states(group.count);
  std::vector<std::uint64_t> held(slice * group.count);
  for (std::uint64_t first = 0; first < geometry_.l2_entries; first += slice) {
    for (std::uint32_t k = 0; k < group.count; ++k)
      read_slice(group.first + k, first, slice, states[k].bytes);
    if (first == 0 && judge_suspects_ && hold_back(group, states)) return;
    std::ranges::fill(held, 0);
    for (std::uint32_t k = 0; k < group.count; ++k)
      judge_slice(tables_.l2[group.first + k], first, states[k], std::span(held).subspan(k * slice, slice));
    if (data_file_) continue;
    for (std::uint64_t at = 0; at < slice; ++at) {
      claim_column(group, held, slice, at);
      if (at % 256 == 0) gate_.check(entered_);
    }
  }
  for (std::uint32_t k = 0; k < group.count; ++k)
    if (states[k].zero && tables_.l2[group.first + k].walk) result_.zero_tables.push_back(group.first + k);
}

// `bytes` stays empty where all of the slice is zero, or the table is not walked.
void L2Walker::read_slice(std::uint32_t at, std::uint64_t first, std::uint64_t entries,
                          std::vector<std::byte>& bytes) {
  const L2Table& table = tables_.l2[at];
  if (!table.walk) return;
  const std::span<const std::byte> read =
      reader_.read(table.offset + first * geometry_.l2_entry_bytes, entries * geometry_.l2_entry_bytes,
                   Place{.structure = Structure::l2_table,
                         .l1_index = table.l1_index,
                         .owner = tables_.states[table.state].owner});
  bytes.assign(read.begin(), read.end());
}

// A suspect among the tables, by its first slice: then none of them is walked now, because what they share
// must be claimed together.
bool L2Walker::hold_back(const TableGroup& group, const std::vector<TableState>& states) {
  bool any = false;
  for (std::uint32_t k = 0; k < group.count; ++k) {
    odd_.clear();
    std::uint64_t sound = 0;
    for (std::uint64_t index = 0; index < states[k].bytes.size() / geometry_.l2_entry_bytes; ++index) {
      const std::uint64_t entry = entry_at(states[k].bytes, index);
      const SubclusterBitmap subclusters = subclusters_at(states[k].bytes, index);
      if (entry != 0 && is_sound(tables_.l2[group.first + k], index, entry, subclusters)) {
        ++sound;
      } else if (entry != 0 || subclusters.allocated() != 0) {
        odd_.push_back(index);
      }
    }
    if (!is_suspect(states[k].bytes, sound)) continue;
    result_.suspects.push_back(group.first + k);
    any = true;
  }
  for (std::uint32_t k = 0; any && k < group.count; ++k)
    if (tables_.l2[group.first + k].walk) result_.held_back.push_back(group.first + k);
  return any;
}

// Fills `held` with the entries that hold clusters, judged.
void L2Walker::judge_slice(const L2Table& table, std::uint64_t first, TableState& state,
                           std::span<std::uint64_t> held) {
  const std::span<const std::byte> bytes = state.bytes;
  if (bytes.empty()) return;
  expected_offset_ = state.expected_offset;
  for (std::uint64_t at = 0; at < held.size(); ++at) {
    const std::uint64_t entry = entry_at(bytes, at);
    const SubclusterBitmap subclusters = subclusters_at(bytes, at);
    if (entry == 0 && subclusters.raw == 0) continue;
    state.zero = false;
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
  note_past_end(table, first, bytes);
  findings_.end_table();
  state.expected_offset = expected_offset_;
}

// The entries of one guest cluster in all tables of the group: each distinct target is claimed once.
void L2Walker::claim_column(const TableGroup& group, std::span<const std::uint64_t> held,
                            std::uint64_t entries, std::uint64_t at) {
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
void L2Walker::merge_column() {
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

}  // namespace cowvet
