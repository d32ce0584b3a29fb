// Every distinct L2 table is read once, in the order of the file, on all threads.
#include "checker/analysis/walk_l2_tables.h"

#include <algorithm>
#include <memory>

#include "checker/analysis/l2_walker.h"
#include "checker/analysis/parallel.h"

namespace cowvet {
namespace {

std::vector<TableGroup> group_tables(const Tables& tables, WalkMode mode) {
  std::vector<TableGroup> groups;
  for (std::uint32_t i = 0; i < tables.l2.size(); ++i) {
    if (!tables.l2[i].walk || (mode.only && !std::ranges::binary_search(*mode.only, i))) continue;
    if (!groups.empty() && tables.l2[groups.back().first].l1_index == tables.l2[i].l1_index) {
      groups.back().count = i + 1 - groups.back().first;
    } else {
      groups.push_back({i, 1});
    }
  }
  const auto offset = [&](const TableGroup& group) { return tables.l2[group.first].offset; };
  if (!std::ranges::is_sorted(groups, {}, offset)) std::ranges::sort(groups, {}, offset);
  return groups;
}

}  // namespace

void L2Walker::walk(std::span<const TableGroup> groups) {
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
  batches_.flush();
  gate_.check(entered_);
  entered_.unlock();
}

WalkResult walk_l2_tables(Context& context, const Tables& tables, References& references, ClusterSet& spared,
                          WalkMode mode) {
  const std::vector<TableGroup> groups = group_tables(tables, mode);
  // Pieces of about a megabyte: large enough for long reads, small enough to share out.
  const std::uint64_t per_piece = std::max<std::uint64_t>(1, (1 << 20) / context.geometry.cluster_bytes);
  const std::uint64_t pieces = divide_up(groups.size(), per_piece);
  const unsigned threads = thread_count(context.options.threads, pieces);
  context.progress.begin("walk_l2_tables", groups.size());

  MemoryGate gate(references);
  std::vector<std::unique_ptr<L2Walker>> walkers;
  walkers.reserve(threads);
  for (unsigned i = 0; i < threads; ++i)
    walkers.push_back(std::make_unique<L2Walker>(context, tables, references, gate, mode));
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
    sum.held_back.insert(sum.held_back.end(), part.held_back.begin(), part.held_back.end());
  }
  std::ranges::sort(sum.zero_tables);
  std::ranges::sort(sum.suspects);
  std::ranges::sort(sum.held_back);
  return sum;
}

}  // namespace cowvet
