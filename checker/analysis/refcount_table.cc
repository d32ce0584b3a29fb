#include "checker/analysis/refcount_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/table_reader.h"
#include "checker/format/entries.h"
#include "checker/format/refcount_block.h"

namespace cowvet {
namespace {

Place entry_place(const Context& context, std::uint64_t index) {
  return {.structure = Structure::refcount_table,
          .offset = context.header.refcount_table_offset + index * 8,
          .length = 8};
}

void report(Context& context, RuleId rule, std::uint64_t index, std::uint64_t raw, std::string detail,
            std::optional<Place> other = {}) {
  context.findings.add({.rule = rule,
                        .place = entry_place(context, index),
                        .other = std::move(other),
                        .found = raw,
                        .detail = std::move(detail)});
}

// One entry: reserved bits, alignment, extent, and whether the target is already something else.
void judge_entry(Context& context, const AreaIndex& areas, std::uint64_t index, std::uint64_t raw,
                 RefcountTable& table) {
  const RefcountTableEntry entry{raw};
  if (entry.reserved() != 0)
    report(context, rule("refcount/block-reserved-bits"), index, raw,
           fmt::format("reserved bits {:#x} of refcount table entry {} are set", entry.reserved(), index));
  if (entry.block_offset() == 0) return;
  RefcountBlock block{.index = index, .offset = entry.block_offset(), .believed = false};
  const std::uint64_t cluster = block.offset >> context.geometry.cluster_bits;
  if (!context.aligned(block.offset)) {
    report(context, rule("refcount/block-unaligned"), index, raw,
           fmt::format("refcount block {} is not cluster aligned: {:#x}", index, block.offset));
  } else if (cluster >= context.geometry.file_clusters) {
    report(context, rule("refcount/block-outside"), index, raw,
           fmt::format("refcount block {} at {:#x} is past the end of the file", index, block.offset));
  } else if (const Area* area = areas.find(cluster)) {
    report(context, rule("refcount/block-overlap"), index, raw,
           fmt::format("refcount block {} lies on the {}", index, to_string(area->structure)),
           Place{.structure = area->structure,
                 .offset = area->offset,
                 .length = area->length,
                 .owner = area->owner});
  } else {
    block.believed = true;
    table.offsets.push_back(block.offset);
  }
  table.blocks.push_back(block);
}

// Of several entries that name one block, the first keeps it.
void find_shared_blocks(Context& context, RefcountTable& table) {
  std::ranges::sort(table.offsets);
  if (std::ranges::adjacent_find(table.offsets) == table.offsets.end()) return;
  std::vector<RefcountBlock*> by_offset;
  for (RefcountBlock& block : table.blocks)
    if (block.believed) by_offset.push_back(&block);
  std::ranges::stable_sort(by_offset, {}, &RefcountBlock::offset);
  const RefcountBlock* first = nullptr;
  for (RefcountBlock* block : by_offset) {
    if (!first || first->offset != block->offset) {
      first = block;
      continue;
    }
    block->believed = false;
    report(context, rule("refcount/block-shared"), block->index, block->offset,
           fmt::format("refcount table entries {} and {} name the same block", first->index, block->index),
           entry_place(context, first->index));
  }
}

// What is no refcount table names many blocks that cannot be any.
bool is_doubtful(const Context& context, const AreaIndex& areas) {
  const auto is_table = [](const Area* area) { return area->structure == Structure::refcount_table; };
  const Findings& found = context.findings;
  return broken_entries(found) + found.added(rule("refcount/block-shared")) > kMostBrokenEntries ||
         std::ranges::any_of(areas.overlaps(), [&](const auto& overlap) {
           return is_table(overlap.first) || is_table(overlap.second);
         });
}

}  // namespace

std::uint64_t broken_entries(const Findings& found) {
  return found.added(rule("refcount/block-reserved-bits")) + found.added(rule("refcount/block-unaligned")) +
         found.added(rule("refcount/block-outside"));
}

bool RefcountTable::is_block(std::uint64_t offset) const {
  return std::ranges::binary_search(offsets, offset);
}

const RefcountBlock* RefcountTable::block_of(std::uint64_t cluster) const {
  const auto at = std::ranges::lower_bound(blocks, cluster / clusters_per_block, {}, &RefcountBlock::index);
  return at != blocks.end() && at->index == cluster / clusters_per_block ? &*at : nullptr;
}

RefcountTable load_refcount_table(Context& context, const AreaIndex& areas) {
  RefcountTable table;
  table.clusters_per_block =
      refcounts_per_block(context.geometry.cluster_bits, context.geometry.refcount_order);
  if (!context.refcount_table_usable) return table;
  table.entries = std::uint64_t{context.header.refcount_table_clusters}
                  << (context.geometry.cluster_bits - 3);
  table.complete = for_each_entry(
      context, context.header.refcount_table_offset, table.entries,
      Place{.structure = Structure::refcount_table},
      [&](std::uint64_t index, std::uint64_t raw) { judge_entry(context, areas, index, raw, table); });
  find_shared_blocks(context, table);
  table.doubtful = is_doubtful(context, areas);
  return table;
}

void disown_blocks(Context& context, RefcountTable& table, const std::map<std::uint64_t, Place>& others) {
  if (others.empty()) return;
  for (RefcountBlock& block : table.blocks) {
    const auto other = others.find(block.offset);
    if (!block.believed || other == others.end()) continue;
    block.believed = false;
    report(context, rule("refcount/block-overlap"), block.index, block.offset,
           fmt::format("refcount block {} lies on the L2 table at {:#x}", block.index, block.offset),
           Place{.structure = Structure::l2_table,
                 .offset = block.offset,
                 .length = context.geometry.cluster_bytes,
                 .l1_index = other->second.l1_index,
                 .guest = other->second.guest});
  }
  std::erase_if(table.offsets, [&](std::uint64_t offset) { return others.contains(offset); });
}

}  // namespace cowvet
