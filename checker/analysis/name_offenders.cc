#include "checker/analysis/name_offenders.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <mutex>
#include <span>

#include "checker/analysis/entry_findings.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/parallel.h"
#include "checker/analysis/walk_l2_tables_again.h"

namespace cowvet {
namespace {

// An entry, in the order of the guest disk: tables are sorted by l1_index.
struct Owner {
  static constexpr unsigned kIndexBits = 20;  // an L2 table has at most 2^18 entries
  static constexpr std::uint64_t kNobody = ~std::uint64_t{0};
  static std::uint64_t pack(std::uint64_t table, std::uint64_t index) { return table << kIndexBits | index; }
  static std::uint64_t table(std::uint64_t owner) { return owner >> kIndexBits; }
  static std::uint64_t index(std::uint64_t owner) { return owner & ((1u << kIndexBits) - 1); }
};

// The first standard entry that names each contested cluster.
class FirstOwners {
 public:
  explicit FirstOwners(const ClusterSet& contested) {
    contested.for_each_run([this](std::uint64_t first, std::uint64_t count) {
      for (std::uint64_t i = 0; i < count; ++i) clusters_.push_back(first + i);
    });
    owners_ = std::make_unique<std::atomic<std::uint64_t>[]>(clusters_.size());
    for (std::size_t i = 0; i < clusters_.size(); ++i) owners_[i] = Owner::kNobody;
  }
  bool empty() const { return clusters_.empty(); }
  void offer(std::uint64_t cluster, std::uint64_t owner) {
    std::atomic<std::uint64_t>& slot = owners_[position(cluster)];
    for (std::uint64_t there = slot.load(); owner < there && !slot.compare_exchange_weak(there, owner);) {
    }
  }
  std::uint64_t of(std::uint64_t cluster) const { return owners_[position(cluster)].load(); }

 private:
  std::size_t position(std::uint64_t cluster) const {
    return static_cast<std::size_t>(std::ranges::lower_bound(clusters_, cluster) - clusters_.begin());
  }
  std::vector<std::uint64_t> clusters_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> owners_;
};

// Calls visit(worker, table index, entry index, entry) for every entry that is not zero, on all threads.
template <typename Visit>
void for_each_l2_entry(Context& context, const Tables& tables, const char* pass, Visit visit) {
  const Geometry& geometry = context.geometry;
  walk_l2_tables_again(
      context, tables, pass, [&](unsigned worker, std::uint64_t at, std::span<const std::byte> bytes) {
        for (std::uint64_t index = 0; index < geometry.l2_entries; ++index) {
          const auto entry = load_big_endian<std::uint64_t>(bytes.data() + index * geometry.l2_entry_bytes);
          if (entry != 0) visit(worker, at, index, entry);
        }
      });
}

class Namer {
 public:
  Namer(Context& context, const Tables& tables, const AreaIndex& areas, const RefcountTable& refcounts,
        const Offenders& offenders)
      : context_(context),
        tables_(tables),
        areas_(areas),
        refcounts_(refcounts),
        offenders_(offenders),
        judge_(context),
        first_owners_(offenders.contested) {}

  void name() {
    const bool name_copied = context_.options.name_copied && context_.copied_wrong;
    if (name_copied) name_l1_entries();
    if (!name_copied && first_owners_.empty()) return;
    if (!first_owners_.empty()) {
      for (const L2Table& table : tables_.l2) l2_offsets_.push_back(table.offset);
      std::ranges::sort(l2_offsets_);
      find_first_owners();
    }
    name_l2_entries();
    resolve_strangers();
  }

 private:
  // An entry of another disk state than the first owner's; compared with its like at the end.
  struct Stranger {
    std::uint64_t cluster;
    std::uint64_t owner;
    auto operator<=>(const Stranger&) const = default;
  };

  void name_l1_entries();
  void find_first_owners();
  void name_l2_entries();
  void name_copied(EntryFindings& findings, const L2Table& table, std::uint64_t index, std::uint64_t entry,
                   std::uint64_t cluster);
  void name_contested(EntryFindings& findings, std::uint64_t owner, std::uint64_t entry,
                      std::uint64_t cluster);
  void report_cross_link(EntryFindings& findings, std::uint64_t owner, std::uint64_t entry,
                         std::uint64_t cluster, std::uint64_t first);
  void resolve_strangers();
  std::optional<Place> metadata_at(std::uint64_t cluster) const;
  const L2Table& table_of(std::uint64_t owner) const { return tables_.l2[Owner::table(owner)]; }
  std::uint64_t guest_cluster(std::uint64_t owner) const {
    return table_of(owner).l1_index * context_.geometry.l2_entries + Owner::index(owner);
  }
  bool share_a_state(std::uint64_t a, std::uint64_t b) const {
    return (table_of(a).state_mask & table_of(b).state_mask) != 0 && guest_cluster(a) != guest_cluster(b);
  }

  Context& context_;
  const Tables& tables_;
  const AreaIndex& areas_;
  const RefcountTable& refcounts_;
  const Offenders& offenders_;
  const EntryJudge judge_;
  FirstOwners first_owners_;
  std::vector<std::uint64_t> l2_offsets_;
  std::mutex strangers_mutex_;
  std::vector<Stranger> strangers_;
};

void Namer::name_l1_entries() {
  for (const L2Table& table : tables_.l2) {
    const std::uint64_t cluster = table.offset >> context_.geometry.cluster_bits;
    const ClusterSet& wrong = table.copied ? offenders_.copied_wrongly : offenders_.clear_wrongly;
    if (!table.active || !wrong.contains(cluster)) continue;
    const std::uint64_t offset = tables_.states[0].l1_offset + table.l1_index * std::uint64_t{8};
    context_.findings.add(rule("l1/copied"), File::image, Structure::l1_table, offset, 1, [&] {
      const std::uint64_t window = context_.geometry.l2_window_bytes;
      return Finding{
          .rule = rule("l1/copied"),
          .place = {.structure = Structure::l1_table,
                    .offset = offset,
                    .length = 8,
                    .l1_index = table.l1_index,
                    .guest = GuestRange{table.l1_index * window, window}},
          .detail = fmt::format("COPIED is {}, but the refcount of the L2 table at {:#x} is{} 1",
                                table.copied ? "set" : "clear", table.offset, table.copied ? " not" : "")};
    });
  }
}

void Namer::find_first_owners() {
  for_each_l2_entry(context_, tables_, "find_first_owners",
                    [this](unsigned, std::uint64_t table, std::uint64_t index, std::uint64_t entry) {
                      const Held held = judge_.held(entry);
                      if (held.kind == Held::Kind::standard && offenders_.contested.contains(held.first))
                        first_owners_.offer(held.first, Owner::pack(table, index));
                    });
}

void Namer::name_l2_entries() {
  const unsigned threads = thread_count(context_.options.threads, ~0u);
  std::vector<std::unique_ptr<EntryFindings>> findings;
  findings.reserve(threads);
  for (unsigned i = 0; i < threads; ++i)
    findings.push_back(std::make_unique<EntryFindings>(context_, tables_));
  for_each_l2_entry(context_, tables_, "name_offenders",
                    [&](unsigned worker, std::uint64_t at, std::uint64_t index, std::uint64_t entry) {
                      const Held held = judge_.held(entry);
                      if (held.kind == Held::Kind::standard)
                        name_copied(*findings[worker], tables_.l2[at], index, entry, held.first);
                      for (std::uint64_t i = 0; i < held.count; ++i)
                        if (offenders_.contested.contains(held.first + i))
                          name_contested(*findings[worker], Owner::pack(at, index), entry, held.first + i);
                    });
  for (auto& of_worker : findings) {
    of_worker->end_table();
    context_.findings.absorb(std::move(of_worker->findings()));
  }
}

void Namer::name_copied(EntryFindings& findings, const L2Table& table, std::uint64_t index,
                        std::uint64_t entry, std::uint64_t cluster) {
  if (!table.active || !context_.options.name_copied) return;
  const ClusterSet& wrong = entry & kCopied ? offenders_.copied_wrongly : offenders_.clear_wrongly;
  if (wrong.contains(cluster)) findings.add(rule("l2/copied"), table, index, entry, entry ^ kCopied);
}

// The piece of metadata that owns a cluster.
std::optional<Place> Namer::metadata_at(std::uint64_t cluster) const {
  if (const Area* area = areas_.find(cluster))
    return Place{
        .structure = area->structure, .offset = area->offset, .length = area->length, .owner = area->owner};
  const std::uint64_t offset = cluster << context_.geometry.cluster_bits;
  const std::uint64_t length = context_.geometry.cluster_bytes;
  if (refcounts_.is_block(offset))
    return Place{.structure = Structure::refcount_block, .offset = offset, .length = length};
  if (std::ranges::binary_search(l2_offsets_, offset))
    return Place{.structure = Structure::l2_table, .offset = offset, .length = length};
  return std::nullopt;
}

void Namer::name_contested(EntryFindings& findings, std::uint64_t owner, std::uint64_t entry,
                           std::uint64_t cluster) {
  if (const std::optional<Place> metadata = metadata_at(cluster)) {
    findings.add_conflict(
        rule("l2/overlaps-metadata"), table_of(owner), Owner::index(owner), entry, *metadata,
        fmt::format("guest data lies on the {} at {:#x}", to_string(metadata->structure), metadata->offset));
    return;
  }
  const std::uint64_t first = first_owners_.of(cluster);
  if (first == owner || first == Owner::kNobody) return;
  if (share_a_state(owner, first)) {
    report_cross_link(findings, owner, entry, cluster, first);
    return;
  }
  const std::scoped_lock lock(strangers_mutex_);
  if ((entry & kCompressed) == 0) strangers_.push_back({cluster, owner});
}

void Namer::report_cross_link(EntryFindings& findings, std::uint64_t owner, std::uint64_t entry,
                              std::uint64_t cluster, std::uint64_t first) {
  const Place other = EntryFindings::place_of(context_, tables_, table_of(first), Owner::index(first));
  findings.add_conflict(rule("l2/cross-linked"), table_of(owner), Owner::index(owner), entry, other,
                        fmt::format("shares the host cluster at {:#x} with guest offset {:#x}; one of them "
                                    "reads the other's data",
                                    cluster << context_.geometry.cluster_bits, other.guest->offset));
}

// Entries that share no disk state with the first owner may still share one with each other.
void Namer::resolve_strangers() {
  if (strangers_.size() < 2) return;
  std::ranges::sort(strangers_);
  EntryFindings findings(context_, tables_);
  std::size_t begin = 0;
  for (std::size_t i = 1; i < strangers_.size(); ++i) {
    if (strangers_[i].cluster != strangers_[begin].cluster) begin = i;
    for (std::size_t earlier = begin; earlier < i && earlier < begin + 64; ++earlier) {
      if (!share_a_state(strangers_[i].owner, strangers_[earlier].owner)) continue;
      report_cross_link(findings, strangers_[i].owner,
                        strangers_[i].cluster << context_.geometry.cluster_bits, strangers_[i].cluster,
                        strangers_[earlier].owner);
      break;
    }
  }
  context_.findings.absorb(std::move(findings.findings()));
}

}  // namespace

void name_offenders(Context& context, const Tables& tables, const AreaIndex& areas,
                    const RefcountTable& refcounts, const Offenders& offenders) {
  Namer(context, tables, areas, refcounts, offenders).name();
}

void name_misused_tables(Context& context, Tables& tables, const std::vector<std::uint32_t>& suspects) {
  if (suspects.empty()) return;
  ClusterSet suspected;
  for (const std::uint32_t at : suspects) {
    suspected.add(tables.l2[at].offset >> context.geometry.cluster_bits);
    tables.l2[at].walk = false;
  }
  FirstOwners users(suspected);
  const EntryJudge judge(context);
  for_each_l2_entry(context, tables, "name_misused_tables",
                    [&](unsigned, std::uint64_t table, std::uint64_t index, std::uint64_t entry) {
                      const Held held = judge.held(entry);
                      if (held.kind == Held::Kind::standard && suspected.contains(held.first))
                        users.offer(held.first, Owner::pack(table, index));
                    });
  for (const std::uint32_t at : suspects) {
    L2Table& table = tables.l2[at];
    const std::uint64_t user = users.of(table.offset >> context.geometry.cluster_bits);
    table.walk = user == Owner::kNobody;
    if (table.walk) continue;
    const L1Table& state = tables.states[table.state];
    const std::uint64_t window = context.geometry.l2_window_bytes;
    context.findings.add(
        {.rule = rule("l1/not-l2"),
         .place = {.structure = state.active ? Structure::l1_table : Structure::snapshot_l1_table,
                   .offset = state.l1_offset + table.l1_index * std::uint64_t{8},
                   .length = 8,
                   .l1_index = table.l1_index,
                   .guest = GuestRange{table.l1_index * window, window},
                   .owner = state.owner},
         .other = EntryFindings::place_of(context, tables, tables.l2[Owner::table(user)], Owner::index(user)),
         .found = table.offset,
         .detail =
             fmt::format("names a cluster at {:#x} that holds guest data as its L2 table", table.offset)});
  }
}

}  // namespace cowvet
