// From L1 entries to distinct L2 tables.
//
// Each L1 table is read once. A snapshot's entry that equals the active one at the same index (by far the
// most frequent case) only adds weight to it; all others are collected, and then all uses are sorted by the
// offset that they name: equal neighbours are one table.
#include "checker/analysis/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ranges>

#include "checker/analysis/l2_entry.h"
#include "checker/analysis/refcount_lookup.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

class L1Loader {
 public:
  L1Loader(Context& context, const AreaIndex& areas, const RefcountTable& refcounts)
      : context_(context), areas_(areas), refcounts_(refcounts) {}

  Tables load() {
    collect_l1_tables();
    for (std::uint32_t state = 0; state < tables_.states.size(); ++state) load_state(state);
    merge_uses();
    return std::move(tables_);
  }

 private:
  void collect_l1_tables();
  void load_state(std::uint32_t state);
  void take_entry(std::uint32_t state, std::uint64_t index, std::uint64_t raw, std::size_t& active_at);
  bool believable(const L1Table& state, std::uint64_t index, L1Entry entry);
  bool is_table_for_sure(std::uint64_t offset);
  bool are_refcounts_doubtful();
  void merge_uses();
  void find_shared(std::size_t begin, std::size_t end, const std::vector<std::uint32_t>& order);

  Place entry_place(const L1Table& state, std::uint64_t index) const {
    return {.structure = state.active ? Structure::l1_table : Structure::snapshot_l1_table,
            .offset = state.l1_offset + index * 8,
            .length = 8,
            .l1_index = index,
            .guest = GuestRange{index * context_.geometry.l2_window_bytes, context_.geometry.l2_window_bytes},
            .owner = state.owner};
  }

  template <typename Detail>
  void report(RuleId rule, const L1Table& state, std::uint64_t index, std::uint64_t raw, Detail detail,
              const std::optional<Place>& other = {}) {
    context_.findings.add(rule, File::image,
                          state.active ? Structure::l1_table : Structure::snapshot_l1_table,
                          state.l1_offset + index * 8, 1, [&] {
                            return Finding{.rule = rule,
                                           .place = entry_place(state, index),
                                           .other = other,
                                           .found = raw,
                                           .detail = detail()};
                          });
  }

  Context& context_;
  const AreaIndex& areas_;
  const RefcountTable& refcounts_;
  Tables tables_;
  std::size_t active_uses_ = 0;                    // the first ones of tables_.l2, by l1_index
  std::map<std::uint64_t, bool> tables_for_sure_;  // what is known of refcount blocks that L1 entries name
  std::optional<bool> doubtful_;                   // the refcounts are, if that was asked
};

void L1Loader::collect_l1_tables() {
  const Header& header = context_.header;
  if (context_.l1_usable && header.l1_size != 0)
    tables_.states.push_back({.l1_offset = header.l1_table_offset,
                              .l1_size = header.l1_size,
                              .disk_bytes = header.size,
                              .active = true});
  // Distinct L1 tables cannot together be longer than the file: what overlaps beyond that is not believed.
  std::uint64_t budget_bytes = context_.geometry.file_bytes;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::size_t> known;
  bool any_vm_state = false;
  for (const SnapshotRecord& record : context_.snapshots) {
    const Snapshot& snapshot = record.snapshot;
    const bool vm_state = snapshot.vm_state_size() != 0;
    any_vm_state = any_vm_state || vm_state;
    if (!record.l1_usable || snapshot.l1_size == 0) continue;
    const auto [at, is_new] =
        known.try_emplace({snapshot.l1_table_offset, snapshot.l1_size}, tables_.states.size());
    if (!is_new) {
      L1Table& state = tables_.states[at->second];
      ++state.weight;
      state.vm_state = state.vm_state || vm_state;
      continue;
    }
    const std::uint64_t bytes = std::uint64_t{snapshot.l1_size} * 8;
    if (bytes > budget_bytes) {
      context_.unknown_references.push_back(fmt::format("the L1 table of {}", record.owner()));
      known.erase(at);
      continue;
    }
    budget_bytes -= bytes;
    tables_.states.push_back({.l1_offset = snapshot.l1_table_offset,
                              .l1_size = snapshot.l1_size,
                              .disk_bytes = snapshot.disk_size(header.size),
                              .vm_state = vm_state,
                              .owner = record.owner()});
  }
  // Going back to a snapshot with VM state leaves that state mapped in the active L1 table.
  if (!tables_.states.empty() && tables_.states.front().active)
    tables_.states.front().vm_state = any_vm_state;
}

void L1Loader::load_state(std::uint32_t state_index) {
  const L1Table& state = tables_.states[state_index];
  std::size_t active_at = 0;
  const bool complete = for_each_entry(
      context_, state.l1_offset, state.l1_size,
      Place{.structure = state.active ? Structure::l1_table : Structure::snapshot_l1_table,
            .owner = state.owner},
      [&](std::uint64_t index, std::uint64_t raw) { take_entry(state_index, index, raw, active_at); });
  if (!complete)
    context_.unknown_references.push_back(
        state.active ? "a part of the L1 table" : fmt::format("a part of the L1 table of {}", state.owner));
  if (state.active) active_uses_ = tables_.l2.size();
}

void L1Loader::take_entry(std::uint32_t state_index, std::uint64_t index, std::uint64_t raw,
                          std::size_t& active_at) {
  const L1Table& state = tables_.states[state_index];
  const L1Entry entry{raw};
  const bool usable = believable(state, index, entry);
  if (!usable) return;
  while (active_at < active_uses_ && tables_.l2[active_at].l1_index < index) ++active_at;
  if (active_at < active_uses_ && tables_.l2[active_at].l1_index == index &&
      tables_.l2[active_at].offset == entry.l2_offset()) {
    tables_.l2[active_at].weight += state.weight;
    tables_.l2[active_at].state_mask |= std::uint64_t{1} << (state_index % 64);
    return;
  }
  tables_.l2.push_back({.offset = entry.l2_offset(),
                        .weight = state.weight,
                        .state_mask = std::uint64_t{1} << (state_index % 64),
                        .l1_index = static_cast<std::uint32_t>(index),
                        .state = state_index,
                        .active = state.active,
                        .copied = entry.copied()});
}

// The conditions of one entry, in the order of the specification's bits. False: no L2 table can be read
// there.
bool L1Loader::believable(const L1Table& state, std::uint64_t index, L1Entry entry) {
  const std::uint64_t offset = entry.l2_offset();
  const std::uint64_t cluster = offset >> context_.geometry.cluster_bits;
  if (entry.reserved() != 0)
    report(rule("l1/reserved-bits"), state, index, entry.raw,
           [&] { return fmt::format("reserved bits {:#x} are set", entry.reserved()); });
  if (offset == 0) {
    // In a snapshot, too: QEMU looks for an L2 table in every entry that is not zero.
    if (entry.copied())
      report(rule("l1/copied"), state, index, entry.raw,
             [] { return std::string("COPIED is set in an entry that names no L2 table"); });
    return false;
  }
  if (!state.vm_state && index >= divide_up(state.disk_bytes, context_.geometry.l2_window_bytes))
    report(rule("l1/past-end"), state, index, entry.raw,
           [] { return std::string("maps a range behind the end of the virtual disk"); });
  if (!context_.aligned(offset)) {
    report(rule("l1/unaligned"), state, index, entry.raw,
           [&] { return fmt::format("the L2 table's offset {:#x} is not cluster aligned", offset); });
    return false;
  }
  if (cluster >= context_.geometry.file_clusters) {
    report(rule("l1/outside"), state, index, entry.raw,
           [&] { return fmt::format("the L2 table at {:#x} is past the end of the file", offset); });
    tables_.outside.push_back(offset);
    return false;
  }
  const Area* area = areas_.find(cluster);
  if (!area && !refcounts_.is_block(offset)) return true;
  if (!area && (state.active || are_refcounts_doubtful()) && is_table_for_sure(offset)) {
    tables_.not_blocks.try_emplace(offset, entry_place(state, index));
    return true;
  }
  if (area && area->structure == Structure::refcount_table && are_refcounts_doubtful() &&
      is_table_for_sure(offset)) {
    tables_.not_refcount_tables.try_emplace(offset, entry_place(state, index));
    return true;
  }
  Place other{
      .structure = Structure::refcount_block, .offset = offset, .length = context_.geometry.cluster_bytes};
  if (area)
    other = {
        .structure = area->structure, .offset = area->offset, .length = area->length, .owner = area->owner};
  const std::string_view name = to_string(other.structure);
  report(
      rule("l1/not-l2"), state, index, entry.raw,
      [&] { return fmt::format("names the {} at {:#x} as its L2 table", name, offset); }, other);
  return false;
}

// A refcount table that is one counts the header and itself once.
bool L1Loader::are_refcounts_doubtful() {
  if (doubtful_) return *doubtful_;
  const auto is_counted = [&](std::uint64_t cluster) {
    const RefcountBlock* block = refcounts_.block_of(cluster);
    return block && block->believed && look_up_refcount(context_, cluster) == 1;
  };
  doubtful_ = refcounts_.doubtful || !is_counted(0) ||
              !is_counted(context_.header.refcount_table_offset >> context_.geometry.cluster_bits);
  return *doubtful_;
}

// Where L1 table and refcount table both name a cluster, its content decides: entries that are all in order
// and mostly have COPIED set are no refcounts. Without COPIED, where the refcount table is doubtful itself.
bool L1Loader::is_table_for_sure(std::uint64_t offset) {
  const auto [known, is_new] = tables_for_sure_.try_emplace(offset, false);
  if (!is_new) return known->second;
  const Geometry& geometry = context_.geometry;
  std::vector<std::byte> bytes(geometry.cluster_bytes);
  if (!context_.read(context_.image, offset, bytes, Place{.structure = Structure::l2_table})) return false;
  const EntryJudge judge(context_);
  std::uint64_t held = 0;
  std::uint64_t copied = 0;
  for (std::uint64_t at = 0; at < bytes.size(); at += geometry.l2_entry_bytes) {
    const auto raw = load_big_endian<std::uint64_t>(bytes.data() + at);
    const SubclusterBitmap subclusters{
        geometry.l2_entry_bytes == 16 ? load_big_endian<std::uint64_t>(bytes.data() + at + 8) : 0};
    if (raw == 0 && subclusters.raw == 0) continue;
    if (!judge.is_plausible(raw, subclusters)) return false;
    held += judge.held(raw).kind != Held::Kind::nothing;
    copied += L2Entry{raw}.copied();
  }
  return known->second = held != 0 && (are_refcounts_doubtful() || copied * 2 >= held);
}

// Makes one table of all uses that name the same offset. The active disk's use is its home, else the first.
void L1Loader::merge_uses() {
  std::vector<L2Table>& uses = tables_.l2;
  std::vector<std::uint32_t> order(uses.size());
  std::ranges::copy(std::views::iota(std::uint32_t{0}, static_cast<std::uint32_t>(uses.size())),
                    order.begin());
  const auto key = [&](std::uint32_t i) {
    return std::tuple(uses[i].offset, uses[i].l1_index, uses[i].state);
  };
  if (!std::ranges::is_sorted(order, {}, key)) std::ranges::sort(order, {}, key);
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && uses[order[end]].offset == uses[order[begin]].offset) ++end;
    if (end - begin > 1) find_shared(begin, end, order);
    begin = end;
  }
  std::erase_if(uses, [](const L2Table& use) { return use.weight == 0; });
  const auto by_index = [](const L2Table& use) { return std::pair(use.l1_index, use.offset); };
  if (!std::ranges::is_sorted(uses, {}, by_index)) std::ranges::sort(uses, {}, by_index);
}

// order[begin, end) are the uses of one table, by l1_index, then by state.
void L1Loader::find_shared(std::size_t begin, std::size_t end, const std::vector<std::uint32_t>& order) {
  std::vector<L2Table>& uses = tables_.l2;
  std::size_t home = order[begin];
  for (std::size_t i = begin; i < end && !uses[home].active; ++i)
    if (uses[order[i]].active) home = order[i];
  std::uint64_t earlier = 0;  // states that name the table at a smaller index
  std::uint64_t here = 0;     // at the index of uses[order[i]]
  for (std::size_t i = begin; i < end; ++i) {
    L2Table& use = uses[order[i]];
    if (i != begin && uses[order[i - 1]].l1_index != use.l1_index) earlier |= std::exchange(here, 0);
    here |= use.state_mask;
    if ((use.state_mask & earlier) != 0) {
      const L1Table& state = tables_.states[use.state];
      const L2Table& first = uses[order[begin]];
      report(
          rule("l1/shared"), state, use.l1_index, use.offset,
          [&] { return fmt::format("names the L2 table of L1 entry {} as well", first.l1_index); },
          entry_place(tables_.states[first.state], first.l1_index));
    }
    if (order[i] == home) continue;
    uses[home].weight += std::exchange(use.weight, 0);
    uses[home].state_mask |= use.state_mask;
  }
}

}  // namespace

Tables load_l1_tables(Context& context, const AreaIndex& areas, const RefcountTable& refcounts) {
  return L1Loader(context, areas, refcounts).load();
}

}  // namespace cowvet
