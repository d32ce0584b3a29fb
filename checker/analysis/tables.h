// The L2 tables that the image names: every distinct one once, however many L1 entries and snapshots share
// it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checker/analysis/areas.h"
#include "checker/analysis/context.h"

namespace cowvet {

// The L1 table of a disk state: of the active disk, or of one or more snapshots that share it.
struct L1Table {
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_size = 0;     // entries
  std::uint64_t weight = 1;      // snapshots that share it
  std::uint64_t disk_bytes = 0;  // virtual size of this state
  bool vm_state = false;         // entries behind the virtual disk are VM state
  bool active = false;
  std::string owner;  // as Place::owner
};

struct RefcountTable;

struct L2Table {
  std::uint64_t offset = 0;      // bytes in the image
  std::uint64_t weight = 0;      // L1 entries that name it, over all snapshots
  std::uint64_t state_mask = 0;  // bit (state % 64) for each state that names it
  std::uint32_t l1_index = 0;    // of the first entry that names it
  std::uint32_t state = 0;       // of that entry
  bool active = false;           // named by the active L1 table
  bool copied = false;           // and COPIED is set there
  bool walk = true;              // false: it is provably not an L2 table
};

struct Tables {
  std::vector<L1Table> states;  // the active disk first, where its L1 table is usable
  std::vector<L2Table> l2;      // by l1_index, then by offset
  // Offsets of L2 tables past the end of the file, once for each L1 entry that names one; in bytes.
  std::vector<std::uint64_t> outside;
  // L2 tables that the refcount table names as refcount blocks: offset in bytes, L1 entry.
  std::map<std::uint64_t, Place> not_blocks;
  // The same of L2 tables where the header says that the refcount table is.
  std::map<std::uint64_t, Place> not_refcount_tables;
};

// Reads the L1 tables and judges their entries (l1/reserved-bits, -unaligned, -outside, -not-l2, -shared,
// -past-end). Needs the areas and refcount blocks to be known.
Tables load_l1_tables(Context& context, const AreaIndex& areas, const RefcountTable& refcounts);

}  // namespace cowvet
