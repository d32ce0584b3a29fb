// Refcount tables of an image whose header says nothing: recognised by their content alone.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

// A refcount table whose blocks count the header, the table and themselves once each, and nothing behind the
// end of the file: with other cluster sizes or refcount widths that is as good as impossible.
struct ScannedRefcounts {
  unsigned cluster_bits = 16;
  unsigned refcount_order = 4;
  std::uint64_t offset = 0;  // bytes
  // Entries of as many clusters as a file of this length needs, or as make sense. Empty ones may follow.
  std::vector<std::uint64_t> blocks;

  std::uint64_t cluster_bytes() const { return std::uint64_t{1} << cluster_bits; }
  std::uint64_t clusters() const { return blocks.size() * 8 >> cluster_bits; }
};

// `cluster_bits` and `refcount_order`: where they are known. Reads the file once, and what may be tables.
std::vector<ScannedRefcounts> scan_refcount_tables(const Device& image, std::optional<unsigned> cluster_bits,
                                                   std::optional<unsigned> refcount_order);

// What the blocks of such a table say.
class RefcountReader {
 public:
  RefcountReader(const Device& image, const ScannedRefcounts& table) : image_(image), table_(table) {}

  // Of a cluster; 0 where no block counts it.
  std::uint64_t count(std::uint64_t cluster);

 private:
  const Device& image_;
  const ScannedRefcounts& table_;
  std::uint64_t loaded_ = ~std::uint64_t{0};
  std::vector<std::byte> block_;
};

}  // namespace cowvet
