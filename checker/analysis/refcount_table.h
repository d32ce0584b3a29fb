// The refcount table: where the refcount blocks are (specification, "Host cluster management").
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "checker/analysis/areas.h"
#include "checker/analysis/context.h"

namespace cowvet {

struct RefcountBlock {
  std::uint64_t index = 0;   // of the refcount table entry
  std::uint64_t offset = 0;  // bytes in the image
  bool believed = true;      // false: it is another structure, shared or unreachable; its counts say nothing
};

struct RefcountTable {
  std::uint64_t entries = 0;             // in the table
  std::uint64_t clusters_per_block = 0;  // counted by one block
  std::vector<RefcountBlock> blocks;     // entries that are not zero, by index
  std::vector<std::uint64_t> offsets;    // of the blocks that lie in the file, sorted
  bool complete = false;                 // the whole table could be read
  bool doubtful = false;                 // noise, or another structure lies on it: so are the blocks

  bool is_block(std::uint64_t offset) const;
  // The block that counts a cluster, or nullptr where the entry is zero or missing.
  const RefcountBlock* block_of(std::uint64_t cluster) const;
};

// Entries that name what cannot be a block. Of what is no refcount table at all there are more than a few.
std::uint64_t broken_entries(const Findings& found);
inline constexpr std::uint64_t kMostBrokenEntries = 8;

// Reads the refcount table and judges its entries (refcount/block-*).
RefcountTable load_refcount_table(Context& context, const AreaIndex& areas);

// Believes no entry that names one of `others`, which are known to be other structures
// (refcount/block-overlap).
void disown_blocks(Context& context, RefcountTable& table, const std::map<std::uint64_t, Place>& others);

}  // namespace cowvet
