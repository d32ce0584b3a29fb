#include "checker/planning/refcount_table_scan.h"

#include <algorithm>
#include <unordered_set>

#include "checker/format/endian.h"
#include "checker/format/refcount_block.h"
#include "checker/format/units.h"
#include "checker/planning/scan_file.h"

namespace cowvet {
namespace {

constexpr unsigned kLeastClusterBits = 9;
constexpr unsigned kMostClusterBits = 21;
constexpr unsigned kMostRefcountOrder = 6;
constexpr std::size_t kMostCandidates = 1 << 16;
constexpr std::uint64_t kMostTableBytes = 8 << 20;  // QEMU limit

// What begins with the offset of a refcount block: no flags, whole sectors.
std::vector<std::uint64_t> likely_refcount_tables(const Device& image) {
  std::vector<std::uint64_t> offsets;
  for_each_piece(image, [&](std::uint64_t offset, std::span<const std::byte> bytes) {
    for (std::uint64_t i = 0; i + 8 <= bytes.size(); i += kSectorBytes) {
      const auto first = load_big_endian<std::uint64_t>(bytes.data() + i);
      if (first != 0 && first % kSectorBytes == 0 && first < image.size_bytes() && offset + i != 0 &&
          offsets.size() < kMostCandidates)
        offsets.push_back(offset + i);
    }
  });
  return offsets;
}

class RefcountTableScan {
 public:
  explicit RefcountTableScan(const Device& image)
      : image_(image), bytes_left_(16 * image.size_bytes() + (64 << 20)) {}

  // Whether a table with clusters of this size can begin at `offset`.
  bool begin(std::uint64_t offset, unsigned cluster_bits) {
    table_ = {.cluster_bits = cluster_bits, .offset = offset, .blocks = {}};
    seen_.clear();
    file_clusters_ = divide_up(image_.size_bytes(), table_.cluster_bytes());
    return append_cluster() && table_.blocks[0] != 0;
  }

  // The same with refcounts of this width; then it is read as far as it is needed.
  bool extend(unsigned refcount_order) {
    table_.refcount_order = refcount_order;
    per_block_ = refcounts_per_block(table_.cluster_bits, refcount_order);
    if (RefcountReader(image_, table_).count(0) != 1) return false;
    const std::uint64_t needed = divide_up(file_clusters_, per_block_);
    while (table_.blocks.size() < needed && table_.blocks.size() * 8 < kMostTableBytes) {
      if (bytes_left_ < table_.cluster_bytes()) return false;
      bytes_left_ -= table_.cluster_bytes();
      if (!append_cluster()) break;
    }
    return counts_itself();
  }

  const ScannedRefcounts& table() const { return table_; }

 private:
  // One more cluster of entries, where all of them may be such.
  bool append_cluster() {
    const std::uint64_t bytes = table_.cluster_bytes();
    const std::vector<std::byte> cluster =
        read_padded(image_, table_.offset + table_.blocks.size() * 8, bytes);
    std::vector<std::uint64_t> blocks;
    for (std::uint64_t i = 0; i < cluster.size(); i += 8) {
      const auto block = load_big_endian<std::uint64_t>(cluster.data() + i);
      if (block % bytes != 0 || block >= image_.size_bytes()) return false;
      if (block != 0 && !seen_.insert(block).second) return false;
      blocks.push_back(block);
    }
    table_.blocks.insert(table_.blocks.end(), blocks.begin(), blocks.end());
    return !blocks.empty();
  }

  bool counts_itself() const {
    RefcountReader reader(image_, table_);
    for (std::uint64_t i = 0; i < table_.clusters(); ++i)
      if (reader.count((table_.offset >> table_.cluster_bits) + i) != 1) return false;
    for (std::uint64_t i = 0; i < table_.blocks.size(); ++i) {
      if (table_.blocks[i] == 0) continue;
      if (i > (file_clusters_ - 1) / per_block_ || reader.count(table_.blocks[i] >> table_.cluster_bits) != 1)
        return false;
    }
    const std::uint64_t end = divide_up(file_clusters_, per_block_) * per_block_;
    for (std::uint64_t cluster = file_clusters_; cluster < end; ++cluster)
      if (reader.count(cluster) != 0) return false;
    return true;
  }

  const Device& image_;
  std::uint64_t bytes_left_;  // a long table may be claimed to be at very many places
  std::uint64_t file_clusters_ = 0;
  std::uint64_t per_block_ = 0;
  ScannedRefcounts table_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

std::uint64_t RefcountReader::count(std::uint64_t cluster) {
  const std::uint64_t per_block = refcounts_per_block(table_.cluster_bits, table_.refcount_order);
  const std::uint64_t index = cluster / per_block;
  if (index >= table_.blocks.size() || table_.blocks[index] == 0) return 0;
  if (loaded_ != index) {
    block_ = read_padded(image_, table_.blocks[index], table_.cluster_bytes());
    loaded_ = index;
  }
  return block_.empty() ? 0 : get_refcount(block_, table_.refcount_order, cluster % per_block);
}

std::vector<ScannedRefcounts> scan_refcount_tables(const Device& image, std::optional<unsigned> cluster_bits,
                                                   std::optional<unsigned> refcount_order) {
  std::vector<ScannedRefcounts> found;
  const std::vector<std::uint64_t> offsets = likely_refcount_tables(image);
  RefcountTableScan scan(image);
  for (unsigned bits = kLeastClusterBits; bits <= kMostClusterBits; ++bits) {
    if (cluster_bits.value_or(bits) != bits) continue;
    for (const std::uint64_t offset : offsets) {
      if (offset % (std::uint64_t{1} << bits) != 0) continue;
      if (!scan.begin(offset, bits)) continue;
      for (unsigned order = 0; order <= kMostRefcountOrder; ++order)
        if (refcount_order.value_or(order) == order && scan.extend(order)) found.push_back(scan.table());
    }
  }
  return found;
}

}  // namespace cowvet
