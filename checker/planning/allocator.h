// Clusters for new structures: free ones first, then the file grows, if it may.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/planning/editor.h"

namespace cowvet {

class Allocator {
 public:
  // `context`: the passes have run on the editor's image, with keep_references.
  Allocator(const Context& context, Editor& editor) : context_(context), editor_(editor) {}

  // `count` clusters in a row; the byte offset of the first. None: the device is full and cannot grow. Their
  // refcounts are left to the next round, which finds them referenced.
  std::optional<std::uint64_t> allocate(std::uint64_t count = 1);

 private:
  bool is_free(std::uint64_t cluster);
  std::uint64_t stored_refcount(std::uint64_t cluster);

  const Context& context_;
  Editor& editor_;
  std::uint64_t next_ = 1;  // clusters before it are taken, or were too few in a row
  std::uint64_t block_offset_ = 0;
  std::vector<std::byte> block_;
};

}  // namespace cowvet
