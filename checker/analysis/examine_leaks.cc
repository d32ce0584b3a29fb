// A leaked cluster has a refcount and no reference. It is waste where a crash left it behind, but lost guest
// data where the reference itself was destroyed. Four signs tell the difference:
//
// 1. The cluster holds what can only be an L2 table, and most clusters that it names miss a reference: they
//    are leaked as well, or shared and counted too high. An L1 entry (or the L1 table's offset) was lost.
//    This holds for clusters whose refcounts were lost as well.
// 2. Leaked clusters with content follow an L2 table of which every entry is zero, before the next L2 table:
//    that is where the clusters of such a table lie when a disk is written in order. The table was wiped.
// 3. The same behind a leaked cluster of zeros, where the L1 table has an empty entry: both were wiped.
// 4. Leaked clusters with content continue what an L2 table names, just where whole sectors of it are zeros
//    (find_punched_tables.h): that part of the table was wiped.
//
// And where some structure that may hold references could not be examined, nothing is called a leak at all;
// where it could not be read, nothing is called lost either. A bitmap table and a refcount table look like an
// L2 table without COPIED and compressed entries, so that one is asked for where they may be meant.
#include "checker/analysis/examine_leaks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checker/analysis/entry_findings.h"
#include "checker/analysis/find_punched_tables.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/unreferenced_content.h"

namespace cowvet {
namespace {

class LeakExaminer {
 public:
  LeakExaminer(Context& context, const Tables& tables, const std::vector<std::uint32_t>& zero_tables,
               const Offenders& offenders, const ClusterSet& spared, const ClusterSet& uncounted)
      : context_(context),
        geometry_(context.geometry),
        tables_(tables),
        zero_tables_(zero_tables),
        leaked_(offenders.leaked),
        spared_(spared),
        uncounted_(uncounted),
        judge_(context),
        content_(context, leaked_, uncounted, offenders),
        stale_(context.released) {
    for (const Area& area : context.stale_areas)
      for (std::uint64_t at = 0; at < area.length; at += geometry_.cluster_bytes)
        stale_.add((area.offset + at) >> geometry_.cluster_bits);
  }

  ClusterSet examine() {
    collect_regions();
    if (regions_.empty() && uncounted_.empty()) return {};
    if (!context_.references_unread()) {
      look_into_regions();
      look_into_uncounted();
      report_orphaned_tables();
      report_wiped_tables();
      report_punched_tables();
    }
    report_remaining();
    return std::move(orphans_);
  }

 private:
  void collect_regions();
  void look_into_regions();
  void look_into_uncounted();
  void report_orphaned_tables();
  bool names_lost_tables(std::uint64_t table_cluster) const;
  std::uint64_t take_targets(std::uint64_t table_cluster);
  void report_wiped_tables();
  bool report_behind(std::uint64_t table_cluster, std::uint64_t fewest, std::string_view what);
  void report_punched_tables();
  void report_remaining();
  void report_region(const ClusterRange& region);
  void report_orphan(std::uint64_t first, std::uint64_t length, std::uint64_t count, std::string detail,
                     Structure structure);
  bool has_empty_l1_entry() const;

  Context& context_;
  const Geometry& geometry_;
  const Tables& tables_;
  const std::vector<std::uint32_t>& zero_tables_;
  const ClusterSet& leaked_;
  const ClusterSet& spared_;
  const ClusterSet& uncounted_;
  const EntryJudge judge_;
  const UnreferencedContent content_;
  std::vector<ClusterRange> regions_;         // maximal, in order
  ClusterSet with_content_;                   // leaked, in the file, not all zeros
  ClusterSet orphans_;                        // leaked, reported as lost data
  ClusterSet stale_;                          // named by stale bitmaps, or given up: not the guest's
  std::vector<std::uint64_t> lost_tables_;    // leaked clusters that hold an L2 table
  std::vector<std::uint64_t> zero_clusters_;  // first clusters of regions that read as zeros
};

void LeakExaminer::collect_regions() {
  leaked_.for_each_run([this](std::uint64_t first, std::uint64_t count) {
    ClusterRange open{first, 0};
    for (std::uint64_t cluster = first; cluster != first + count; ++cluster) {
      if (!spared_.contains(cluster)) {
        ++open.count;
        continue;
      }
      if (open.count != 0) regions_.push_back(open);
      open = {cluster + 1, 0};
    }
    if (open.count != 0) regions_.push_back(open);
  });
}

void LeakExaminer::look_into_regions() {
  content_.look_into(regions_, stale_, [this](std::uint64_t cluster, ClusterContent content) {
    with_content_.add(cluster);
    if (content == ClusterContent::l2_table) lost_tables_.push_back(cluster);
  });
  for (const ClusterRange& region : regions_)
    if (!with_content_.contains(region.first)) zero_clusters_.push_back(region.first);
}

// Of what has no refcount, only L2 tables are known to have been in use.
void LeakExaminer::look_into_uncounted() {
  std::vector<ClusterRange> regions;
  uncounted_.for_each_run(
      [&](std::uint64_t first, std::uint64_t count) { regions.push_back({first, count}); });
  content_.look_into(regions, stale_, [this](std::uint64_t cluster, ClusterContent content) {
    if (content == ClusterContent::l2_table) lost_tables_.push_back(cluster);
  });
  std::ranges::sort(lost_tables_);
}

void LeakExaminer::report_orphan(std::uint64_t first, std::uint64_t length, std::uint64_t count,
                                 std::string detail, Structure structure) {
  static constexpr RuleId kRule = rule("refcount/orphan-mapping");
  context_.findings.add({.rule = kRule,
                         .severity = context_.references_unread() ? Severity::unchecked : kRule->severity,
                         .place = {.structure = structure,
                                   .offset = first << geometry_.cluster_bits,
                                   .length = length << geometry_.cluster_bits},
                         .count = count,
                         .detail = std::move(detail)});
}

void LeakExaminer::report_orphaned_tables() {
  for (const std::uint64_t cluster : lost_tables_) orphans_.add(cluster);
  for (const std::uint64_t cluster : lost_tables_) {
    const std::uint64_t targets = take_targets(cluster);
    if (names_lost_tables(cluster)) {
      report_orphan(
          cluster, 1, 1,
          "an L1 table that nothing names, and the L2 tables it names are lost as well: do not free it",
          Structure::l1_table);
      continue;
    }
    report_orphan(
        cluster, 1, 1 + targets,
        fmt::format("an L2 table that no L1 entry names, and {} clusters that it maps: lost guest data, "
                    "do not free it",
                    targets),
        Structure::l2_table);
  }
  const bool active_maps_nothing =
      std::ranges::none_of(tables_.l2, [](const L2Table& table) { return table.active && table.walk; });
  if (lost_tables_.empty() || !active_maps_nothing || context_.header.size == 0) return;
  context_.findings.add(
      {.rule = rule("header/l1-implausible"),
       .place = {.structure = Structure::header,
                 .offset = offsetof(RawHeader, l1_table_offset),
                 .length = sizeof(RawHeader::l1_table_offset)},
       .found = context_.header.l1_table_offset,
       .detail = fmt::format("the L1 table maps nothing, but {} lost L2 tables are in the file",
                             lost_tables_.size())});
}

// L1 entries look like L2 entries, but what they name are tables.
bool LeakExaminer::names_lost_tables(std::uint64_t table_cluster) const {
  std::vector<std::byte> bytes(geometry_.cluster_bytes);
  if (!context_.image.read(table_cluster << geometry_.cluster_bits, bytes)) return false;
  bool any = false;
  for (std::uint64_t i = 0; i < bytes.size(); i += 8) {
    const std::uint64_t offset = load_big_endian<std::uint64_t>(bytes.data() + i) & kOffsetMask;
    if (offset == 0) continue;
    any = true;
    if (!std::ranges::binary_search(lost_tables_, offset >> geometry_.cluster_bits)) return false;
  }
  return any;
}

// Marks the leaked clusters that a lost table names; says how many it was the first to name.
std::uint64_t LeakExaminer::take_targets(std::uint64_t table_cluster) {
  std::vector<std::byte> bytes(geometry_.cluster_bytes);
  if (!context_.image.read(table_cluster << geometry_.cluster_bits, bytes)) return 0;
  std::uint64_t taken = 0;
  for (std::uint64_t i = 0; i < bytes.size(); i += geometry_.l2_entry_bytes) {
    const Held held = judge_.held(load_big_endian<std::uint64_t>(bytes.data() + i));
    for (std::uint64_t cluster = held.first; cluster != held.first + held.count; ++cluster) {
      if (orphans_.contains(cluster) || !(leaked_.contains(cluster) || uncounted_.contains(cluster)))
        continue;
      orphans_.add(cluster);
      ++taken;
    }
  }
  return taken;
}

bool LeakExaminer::has_empty_l1_entry() const {
  if (tables_.states.empty() || !tables_.states[0].active) return true;
  std::uint64_t used = 0;
  for (const L2Table& table : tables_.l2) used += table.active;
  return used < divide_up(context_.header.size, geometry_.l2_window_bytes);
}

// Leaked clusters with content behind `table_cluster`, up to the next L2 table.
bool LeakExaminer::report_behind(std::uint64_t table_cluster, std::uint64_t fewest, std::string_view what) {
  std::uint64_t end = geometry_.file_clusters;
  for (const L2Table& table : tables_.l2) {
    const std::uint64_t cluster = table.offset >> geometry_.cluster_bits;
    if (cluster > table_cluster) end = std::min(end, cluster);
  }
  const auto begin = std::ranges::upper_bound(regions_, table_cluster, {}, [](const ClusterRange& region) {
    return region.first + region.count - 1;
  });
  std::vector<std::uint64_t> lost;
  for (auto region = begin; region != regions_.end() && region->first < end; ++region) {
    for (std::uint64_t cluster = std::max(region->first, table_cluster + 1);
         cluster < std::min(end, region->first + region->count) && lost.size() < geometry_.l2_entries;
         ++cluster)
      if (with_content_.contains(cluster) && !orphans_.contains(cluster)) lost.push_back(cluster);
  }
  if (lost.size() < fewest) return false;
  for (const std::uint64_t cluster : lost) orphans_.add(cluster);
  report_orphan(lost.front(), lost.back() - lost.front() + 1, lost.size(),
                fmt::format("{} clusters with content behind {}: most likely lost guest data, do not free it",
                            lost.size(), what),
                Structure::data);
  return true;
}

void LeakExaminer::report_wiped_tables() {
  // Each search goes over all tables: what is beyond this many is left to the general verdict.
  constexpr std::size_t kMost = 256;
  for (std::size_t i = 0; i < std::min(kMost, zero_tables_.size()); ++i) {
    const L2Table& table = tables_.l2[zero_tables_[i]];
    report_behind(table.offset >> geometry_.cluster_bits, 1,
                  fmt::format("the L2 table at {:#x} (L1 entry {}), which holds nothing but zeros",
                              table.offset, table.l1_index));
  }
  if (!has_empty_l1_entry()) return;
  // With both tables gone only the amount tells lost data from a crash: QEMU leaves at most a few clusters.
  const std::uint64_t fewest = std::min<std::uint64_t>(16, geometry_.l2_entries);
  for (std::size_t i = 0; i < std::min(kMost, zero_clusters_.size()); ++i)
    report_behind(zero_clusters_[i], fewest,
                  fmt::format("the leaked cluster of zeros at {:#x}, where an L2 table may have been",
                              zero_clusters_[i] << geometry_.cluster_bits));
}

void LeakExaminer::report_punched_tables() {
  // With lazy refcounts a crash leaves all that the guest discarded.
  if (context_.header.is_dirty()) return;
  std::vector<ClusterRange> candidates;
  for (const ClusterRange& region : regions_)
    if (with_content_.contains(region.first) && !orphans_.contains(region.first))
      candidates.push_back(region);
  for (const Punched& punched : find_punched_tables(context_, tables_, candidates)) {
    const auto& [first, count] = punched.clusters;
    const L2Table& table = tables_.l2[punched.table];
    orphans_.add(first, count);
    const Place entries = EntryFindings::place_of(context_, tables_, table, punched.first, count);
    context_.findings.add(
        {.rule = rule("refcount/orphan-mapping"),
         .place = {.structure = Structure::data,
                   .offset = first << geometry_.cluster_bits,
                   .length = count << geometry_.cluster_bits,
                   .guest = entries.guest,
                   .owner = entries.owner},
         .other = entries,
         .count = count,
         .detail = fmt::format(
             "{} clusters with content that entries {} to {} of the L2 table at {:#x} would name, which are "
             "zeros: most likely lost guest data, do not free it",
             count, punched.first, punched.first + count - 1, table.offset)});
  }
}

void LeakExaminer::report_remaining() {
  for (const ClusterRange& region : regions_) {
    ClusterRange open{region.first, 0};
    for (std::uint64_t cluster = region.first; cluster != region.first + region.count; ++cluster) {
      if (cluster >= geometry_.file_clusters || !orphans_.contains(cluster)) {
        ++open.count;
        continue;
      }
      if (open.count != 0) report_region(open);
      open = {cluster + 1, 0};
    }
    if (open.count != 0) report_region(open);
  }
}

void LeakExaminer::report_region(const ClusterRange& region) {
  if (!context_.unknown_references.empty()) {
    report_orphan(
        region.first, region.count, region.count,
        fmt::format("{} clusters in use by nothing that could be examined; {} could not be, so they may "
                    "belong to it",
                    region.count, fmt::join(context_.unknown_references, ", ")),
        Structure::none);
    return;
  }
  const std::uint64_t offset = region.first << geometry_.cluster_bits;
  context_.findings.add(rule("refcount/leak"), File::image, Structure::none, offset, region.count, [&] {
    return Finding{
        .rule = rule("refcount/leak"),
        .place = {.offset = offset, .length = region.count << geometry_.cluster_bits},
        .count = region.count,
        .expected = 0,
        .detail = fmt::format("{} with a refcount but without a reference",
                              region.count == 1 ? "a cluster" : fmt::format("{} clusters", region.count))};
  });
}

}  // namespace

ClusterSet examine_leaks(Context& context, const Tables& tables,
                         const std::vector<std::uint32_t>& zero_tables, const Offenders& offenders,
                         const ClusterSet& spared, const ClusterSet& uncounted) {
  return LeakExaminer(context, tables, zero_tables, offenders, spared, uncounted).examine();
}

}  // namespace cowvet
