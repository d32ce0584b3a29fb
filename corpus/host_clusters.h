// The clusters of the image file: who uses each, and how many references there are to it. Clusters are given
// out in ascending order and never again; refcount blocks are placed where they are first needed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "corpus/shape.h"

namespace cowvet::corpus {

struct HostClusterUse {
  std::string use;  // for people: "L2 table"
  std::uint64_t references = 0;
  std::optional<std::uint64_t> guest;  // the guest offset that it serves
};

class HostClusters {
 public:
  // Places the header, the refcount table and the first refcount block.
  HostClusters(const Shape& shape, std::uint64_t refcount_table_clusters);

  // `count` contiguous clusters with one reference each; returns their offset in bytes.
  std::uint64_t allocate(std::uint64_t count, const std::string& use,
                         std::optional<std::uint64_t> guest = {});
  // Leaves `count` clusters free.
  void skip(std::uint64_t count);

  void retain(std::uint64_t offset) { ++at(offset).references; }
  void release(std::uint64_t offset) { --at(offset).references; }
  std::uint64_t references(std::uint64_t offset) const { return clusters_[offset >> bits_].references; }

  std::uint64_t end_bytes() const { return clusters_.size() << bits_; }
  const std::vector<HostClusterUse>& clusters() const { return clusters_; }

  // Offsets in bytes, by index in the refcount table; 0: none.
  const std::vector<std::uint64_t>& refcount_blocks() const { return blocks_; }
  std::uint64_t refcount_table_offset() const { return std::uint64_t{1} << bits_; }
  std::uint64_t refcount_table_clusters() const { return table_clusters_; }
  // More refcount blocks are needed than the refcount table has room for.
  bool refcount_table_full() const { return blocks_.size() > table_clusters_ << (bits_ - 3); }
  // More bytes than a corpus image should have.
  bool too_large() const { return too_large_; }

 private:
  HostClusterUse& at(std::uint64_t offset) { return clusters_[offset >> bits_]; }
  void place_refcount_blocks(std::uint64_t first, std::uint64_t count);

  unsigned bits_;
  std::uint64_t refcounts_in_block_;
  std::uint64_t table_clusters_;
  std::vector<HostClusterUse> clusters_;
  std::vector<std::uint64_t> blocks_;
  bool too_large_ = false;
};

}  // namespace cowvet::corpus
