// Who references which cluster, and what the refcounts say about it.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "checker/analysis/claim_metadata.h"
#include "checker/analysis/compare_refcounts.h"
#include "checker/analysis/examine_leaks.h"
#include "checker/analysis/name_offenders.h"
#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/analysis/tables.h"
#include "checker/analysis/uncounted_clusters.h"
#include "checker/analysis/walk_l2_tables.h"

namespace cowvet {
namespace {

Place place_of(const Area& area) {
  return {.structure = area.structure, .offset = area.offset, .length = area.length, .owner = area.owner};
}

void report_overlaps(Context& context, const AreaIndex& areas) {
  for (const auto& [owner, claimant] : areas.overlaps())
    context.findings.add({.rule = rule("overlap/metadata"),
                          .place = place_of(*claimant),
                          .other = place_of(*owner),
                          .detail = fmt::format("the {} lies on the {}", to_string(claimant->structure),
                                                to_string(owner->structure))});
}

// L2 tables where the refcount table is said to be: what they name are no refcount blocks.
void disown_refcount_table(Context& context, RefcountTable& refcounts, const Tables& tables) {
  if (tables.not_refcount_tables.empty()) return;
  for (RefcountBlock& block : refcounts.blocks) block.believed = false;
  refcounts.offsets.clear();
  for (const auto& [offset, entry] : tables.not_refcount_tables)
    context.findings.add({.rule = rule("overlap/metadata"),
                          .place = {.structure = Structure::refcount_table,
                                    .offset = context.header.refcount_table_offset,
                                    .length = std::uint64_t{context.header.refcount_table_clusters}
                                              << context.geometry.cluster_bits},
                          .other = Place{.structure = Structure::l2_table,
                                         .offset = offset,
                                         .length = context.geometry.cluster_bytes,
                                         .l1_index = entry.l1_index,
                                         .owner = entry.owner},
                          .detail = "the refcount table lies on an L2 table"});
}

// The first window: every entry is judged, the others only claim.
WalkResult walk_and_judge(Context& context, Tables& tables, References& references, ClusterSet& spared) {
  WalkResult walk = walk_l2_tables(context, tables, references, spared, {});
  if (!walk.suspects.empty()) {
    name_misused_tables(context, tables, walk.suspects);
    const WalkResult rest = walk_l2_tables(context, tables, references, spared,
                                           {.find_suspects = false, .only = &walk.held_back});
    walk.complete = walk.complete && rest.complete;
    walk.allocated_clusters += rest.allocated_clusters;
    walk.fragmented_clusters += rest.fragmented_clusters;
    walk.compressed_clusters += rest.compressed_clusters;
    walk.zero_tables.insert(walk.zero_tables.end(), rest.zero_tables.begin(), rest.zero_tables.end());
    std::ranges::sort(walk.zero_tables);
  }
  context.has_empty_l2_table = !walk.zero_tables.empty();
  if (!walk.complete) context.unknown_references.emplace_back("a part of the L2 tables");
  Counters& counters = context.report.counters;
  counters.total_clusters = context.geometry.guest_clusters;
  counters.allocated_clusters = walk.allocated_clusters;
  counters.fragmented_clusters = walk.fragmented_clusters;
  counters.compressed_clusters = walk.compressed_clusters;
  counters.l2_tables = tables.l2.size();
  return walk;
}

// One behind the last cluster of the file that is referenced; chunks below `known` are not looked at.
std::uint64_t referenced_end(const Context& context, const References& references, std::uint64_t known) {
  std::uint64_t end = known;
  references.for_each_chunk([&](std::uint64_t index, const References::Chunk& chunk) {
    const std::uint64_t first = index * kChunkClusters;
    if (first + kChunkClusters <= end || first >= context.geometry.file_clusters) return;
    for (std::uint64_t word = 0; word < kChunkWords; ++word) {
      std::uint64_t referenced = 0;
      for (unsigned kind = 0; kind < kClaimKinds; ++kind)
        referenced |= chunk.bits(static_cast<Claim>(kind), word);
      if (referenced != 0) end = std::max(end, first + word * 64 + std::bit_width(referenced));
    }
  });
  return std::min(end, context.geometry.file_clusters);
}

void report_file_end(Context& context, const Offenders& offenders) {
  const Geometry& geometry = context.geometry;
  if (offenders.cut_clusters != 0)
    context.findings.add(
        {.rule = rule("file/truncated"),
         .place = {.offset = geometry.file_bytes,
                   .length = (offenders.cut_end << geometry.cluster_bits) - geometry.file_bytes},
         .count = offenders.cut_clusters,
         .detail = fmt::format("the file ends at {:#x}, but {} clusters behind it are in use",
                               geometry.file_bytes, offenders.cut_clusters)});
  // Who shrinks a volume to this end must not lose what could not be read.
  std::uint64_t used_end = offenders.complete ? offenders.used_end : geometry.file_clusters;
  context.orphans.for_each_run(
      [&](std::uint64_t first, std::uint64_t count) { used_end = std::max(used_end, first + count); });
  used_end = std::min(used_end, geometry.file_clusters);
  context.report.counters.image_end_offset = used_end << geometry.cluster_bits;
  if (context.image.is_block_device() || !context.refcount_table_usable) return;
  const std::uint64_t end = used_end << geometry.cluster_bits;
  if (end >= geometry.file_bytes) return;
  context.findings.add({.rule = rule("file/trailing"),
                        .place = {.offset = end, .length = geometry.file_bytes - end},
                        .detail = "bytes behind the last cluster in use"});
}

}  // namespace

void check_references(Context& context) {
  const AreaIndex areas(context);
  report_overlaps(context, areas);
  const auto refcount_table = std::make_shared<RefcountTable>(load_refcount_table(context, areas));
  const RefcountTable& refcounts = *refcount_table;
  // Every fixed structure is known, and so is where the refcount blocks are.

  const auto all_tables = std::make_shared<Tables>(load_l1_tables(context, areas, refcounts));
  Tables& tables = *all_tables;
  disown_blocks(context, *refcount_table, tables.not_blocks);
  disown_refcount_table(context, *refcount_table, tables);
  // Every L2 table is known, once.

  const auto counted = std::make_shared<References>(
      countable_clusters(context, refcounts), context.keep_references ? 0 : references_cap(context, tables));
  References& references = *counted;
  Offenders offenders;
  ClusterSet spared;
  ClusterSet uncounted;
  claim_metadata(context, refcounts, tables, references);
  const WalkResult walk = walk_and_judge(context, tables, references, spared);
  // Every entry is judged; the window's references are complete.

  for (;;) {
    compare_refcounts(context, references, refcounts, areas, offenders);
    // Where refcount blocks cannot be believed, nothing was compared.
    collect_contested(context, references, offenders);
    offenders.used_end = referenced_end(context, references, offenders.used_end);
    // Of one window among several nobody knows yet whether another one shows that refcounts were lost.
    if (!references.covers_all() || has_lost_counts(context, refcounts, offenders))
      collect_uncounted(context, references, refcounts, offenders, uncounted);
    if (!references.next_window()) break;
    claim_metadata(context, refcounts, tables, references);
    walk_l2_tables(context, tables, references, spared, {.report = false, .find_suspects = false});
  }
  // Every cluster is compared; what is wrong is in sets.

  if (offenders.cut_clusters != 0 && !tables.outside.empty())
    context.unknown_references.emplace_back("an L2 table past the end of the file");
  report_mismatches(context, offenders);
  context.copied_wrong = !offenders.copied_wrongly.empty() || !offenders.clear_wrongly.empty();
  name_offenders(context, tables, areas, refcounts, offenders);
  if (!has_lost_counts(context, refcounts, offenders)) uncounted = {};
  context.orphans = examine_leaks(context, tables, walk.zero_tables, offenders, spared, uncounted);
  context.kept =
      find_kept(context.image, context.options.kept, offenders.leaked, context.geometry.cluster_bits);
  context.report.kept_leaks = context.kept.size();
  report_file_end(context, offenders);
  if (context.keep_references) context.references = counted;
  context.refcounts = refcount_table;
  context.tables = all_tables;
}

}  // namespace cowvet
