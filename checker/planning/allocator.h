// Clusters for new structures: free ones first, then the file grows, if it may.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "checker/analysis/cluster_set.h"
#include "checker/analysis/context.h"
#include "checker/analysis/refcount_table.h"
#include "checker/planning/editor.h"

namespace cowvet {

class Allocator {
 public:
  // `context`: the passes have run on the editor's image, with keep_references.
  // Where refcounts were lost, clusters with content may hold what lost its reference, too: they are used
  // only where there is nothing else. None with content is ever used where `spares_content`.
  Allocator(const Context& context, Editor& editor, bool spares_content)
      : context_(context), editor_(editor), spares_content_(spares_content) {}

  // `count` clusters in a row; the byte offset of the first. None: the device is full and cannot grow, or
  // what counts the clusters cannot be read. Their refcounts are left to the next round, which finds them
  // referenced.
  std::optional<std::uint64_t> allocate(std::uint64_t count = 1);

 private:
  std::optional<std::uint64_t> find_free(std::uint64_t count);
  bool can_be_counted(std::uint64_t first, std::uint64_t count);
  bool is_free(std::uint64_t cluster);
  bool load_block(const RefcountBlock& block);
  // None where it was lost.
  std::optional<std::uint64_t> stored_refcount(std::uint64_t cluster);
  bool reads_as_zeros(std::uint64_t cluster);

  const Context& context_;
  Editor& editor_;
  const bool spares_content_;
  bool takes_content_ = false;
  ClusterSet given_;
  std::uint64_t next_ = 1;  // clusters before it are taken, or were too few in a row
  std::uint64_t block_offset_ = 0;
  std::vector<std::byte> block_;
  std::vector<std::byte> content_;  // of one cluster
};

}  // namespace cowvet
