#include "checker/planning/table_scan.h"

#include <algorithm>

#include "checker/format/endian.h"
#include "checker/format/entries.h"
#include "checker/format/refcount_block.h"
#include "checker/format/units.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
constexpr unsigned kLeastClusterBits = 9;
constexpr unsigned kMostClusterBits = 21;
constexpr std::size_t kMostCandidates = 1 << 16;
constexpr std::size_t kMostTables = 1 << 20;
constexpr std::uint64_t kMostL1Clusters = 8;  // readings of one table

// Calls visit(offset, bytes) for pieces of the file that are not holes; offsets are multiples of a sector.
template <typename Visit>
void for_each_piece(const Device& image, Visit visit) {
  constexpr std::uint64_t kPiece = 1 << 20;
  std::vector<std::byte> piece;
  for (std::uint64_t at = 0; at < image.size_bytes();) {
    const DataExtent data = image.next_data(at);
    if (data.begin >= image.size_bytes()) return;
    at = std::max(at, data.begin / kSectorBytes * kSectorBytes);
    const std::uint64_t length = std::min({kPiece, data.end - at, image.size_bytes() - at});
    piece.resize(length);
    if (image.read(at, piece)) visit(at, std::span<const std::byte>(piece));
    at += length;
  }
}

// Up to the end of the file; what is missing reads as zeros. Empty: cannot be read.
std::vector<std::byte> read_cluster(const Device& image, std::uint64_t offset, std::uint64_t bytes) {
  std::vector<std::byte> cluster(bytes);
  if (offset >= image.size_bytes()) return {};
  if (!image.read(offset, std::span(cluster).first(std::min(bytes, image.size_bytes() - offset)))) return {};
  return cluster;
}

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

class RefcountReader {
 public:
  RefcountReader(const Device& image, const ScannedRefcounts& table) : image_(image), table_(table) {}

  // Of a cluster; 0 where no block counts it.
  std::uint64_t count(std::uint64_t cluster) {
    const std::uint64_t per_block = refcounts_per_block(table_.cluster_bits, table_.refcount_order);
    const std::uint64_t index = cluster / per_block;
    if (index >= table_.blocks.size() || table_.blocks[index] == 0) return 0;
    if (loaded_ != index) {
      block_ = read_cluster(image_, table_.blocks[index], table_.cluster_bytes());
      loaded_ = index;
    }
    return block_.empty() ? 0 : get_refcount(block_, table_.refcount_order, cluster % per_block);
  }

 private:
  const Device& image_;
  const ScannedRefcounts& table_;
  std::uint64_t loaded_ = ~std::uint64_t{0};
  std::vector<std::byte> block_;
};

bool counts_itself(const Device& image, const ScannedRefcounts& table) {
  const unsigned bits = table.cluster_bits;
  const std::uint64_t file_clusters = divide_up(image.size_bytes(), table.cluster_bytes());
  const std::uint64_t per_block = refcounts_per_block(bits, table.refcount_order);
  RefcountReader reader(image, table);
  if (reader.count(0) != 1 || reader.count(table.offset >> bits) != 1) return false;
  for (std::uint64_t i = 0; i < table.blocks.size(); ++i) {
    if (table.blocks[i] == 0) continue;
    if (i > (file_clusters - 1) / per_block || reader.count(table.blocks[i] >> bits) != 1) return false;
  }
  const std::uint64_t end = divide_up(file_clusters, per_block) * per_block;
  for (std::uint64_t cluster = file_clusters; cluster < end; ++cluster)
    if (reader.count(cluster) != 0) return false;
  return true;
}

// The entries, where all of them may be such.
std::vector<std::uint64_t> read_block_offsets(const Device& image, std::uint64_t offset,
                                              std::uint64_t cluster_bytes) {
  const std::vector<std::byte> cluster = read_cluster(image, offset, cluster_bytes);
  std::vector<std::uint64_t> blocks;
  std::set<std::uint64_t> seen;
  for (std::uint64_t i = 0; i < cluster.size(); i += 8) {
    const auto block = load_big_endian<std::uint64_t>(cluster.data() + i);
    if (block % cluster_bytes != 0 || block >= image.size_bytes()) return {};
    if (block != 0 && !seen.insert(block).second) return {};
    blocks.push_back(block);
  }
  return blocks;
}

enum class Likeness : std::uint8_t { zeros, table, other };

// What the clusters of one image look like, with one shape of L2 entries.
class TableScanner {
 public:
  TableScanner(const Device& image, const ScannedRefcounts& refcounts, bool extended_l2, bool data_file)
      : image_(image),
        refcounts_(refcounts),
        bytes_(refcounts.cluster_bytes()),
        entry_bytes_(extended_l2 ? 16 : 8),
        data_file_(data_file) {}

  ScannedTables scan() {
    collect();
    for (const std::uint64_t offset : tables_)
      if (const std::uint64_t used = used_l1_entries(offset)) l1_[offset] = used;
    for (const auto& [offset, used] : l1_) add_readings(offset, used);
    for (const std::uint64_t offset : others_) add_snapshots(offset);
    return std::move(found_);
  }

 private:
  void collect() {
    RefcountReader counts(image_, refcounts_);
    const std::set<std::uint64_t> blocks(refcounts_.blocks.begin(), refcounts_.blocks.end());
    for (std::uint64_t at = 0; at < image_.size_bytes() && tables_.size() < kMostTables;) {
      const DataExtent data = image_.next_data(at);
      if (data.begin >= image_.size_bytes()) break;
      at = std::max(at, data.begin / bytes_ * bytes_);
      for (; at < std::min(data.end, image_.size_bytes()); at += bytes_) {
        if (at == 0 || at == refcounts_.offset || blocks.contains(at) || counts.count(at / bytes_) == 0)
          continue;
        const Likeness likeness = look_at(at);
        if (likeness == Likeness::table) tables_.insert(at);
        if (likeness == Likeness::other && others_.size() < kMostTables) others_.push_back(at);
      }
    }
  }

  // Whether an L2 table could be there, reading on only while it could. A few broken entries do not matter.
  Likeness look_at(std::uint64_t offset) {
    constexpr std::uint64_t kPiece = 4096;
    std::uint64_t entries = 0;
    std::uint64_t broken = 0;
    bool compressed = false;
    for (std::uint64_t at = 0; at < bytes_; at += kPiece) {
      if (offset + at >= image_.size_bytes()) break;
      const std::vector<std::byte> piece = read_cluster(image_, offset + at, std::min(kPiece, bytes_));
      if (piece.empty()) return Likeness::other;
      for (std::uint64_t i = 0; i < piece.size(); i += entry_bytes_) {
        const L2Entry entry{load_big_endian<std::uint64_t>(piece.data() + i)};
        if (entry.raw == 0) continue;
        ++entries;
        broken += !may_be_entry(entry);
        compressed = compressed || entry.compressed();
      }
      if (broken * 8 > entries) return Likeness::other;
    }
    found_.any_compressed = found_.any_compressed || (compressed && entries != 0);
    return entries == 0 ? Likeness::zeros : Likeness::table;
  }

  bool may_be_entry(L2Entry entry) const {
    if (entry.compressed())
      return !data_file_ && !entry.copied() &&
             decode_compressed(entry, refcounts_.cluster_bits).offset < image_.size_bytes();
    return entry.reserved() == 0 && entry.host_offset() % bytes_ == 0 &&
           (data_file_ || entry.host_offset() < image_.size_bytes());
  }

  // Of an L1 table, one behind the last that is not empty; 0: it is none. It names L2 tables only.
  std::uint64_t used_l1_entries(std::uint64_t offset) const {
    const std::vector<std::byte> cluster = read_cluster(image_, offset, bytes_);
    std::set<std::uint64_t> named;
    std::uint64_t used = 0;
    for (std::uint64_t i = 0; i < cluster.size(); i += 8) {
      const L1Entry entry{load_big_endian<std::uint64_t>(cluster.data() + i)};
      if (entry.raw == 0) continue;
      if (entry.reserved() != 0 || !tables_.contains(entry.l2_offset()) ||
          !named.insert(entry.l2_offset()).second)
        return 0;
      used = i / 8 + 1;
    }
    return used;
  }

  // The table may go on in the clusters behind it.
  void add_readings(std::uint64_t offset, std::uint64_t used) {
    RefcountReader counts(image_, refcounts_);
    for (std::uint64_t clusters = 1; clusters <= kMostL1Clusters; ++clusters) {
      found_.l1.push_back({offset, clusters, used});
      const std::uint64_t next = offset + clusters * bytes_;
      if (next >= image_.size_bytes() || counts.count(next / bytes_) == 0) return;
      const auto part = l1_.find(next);
      if (part != l1_.end())
        used = clusters * (bytes_ / 8) + part->second;
      else if (look_at(next) != Likeness::zeros)
        return;
    }
  }

  void add_snapshots(std::uint64_t offset) {
    constexpr std::uint64_t kMostEntryBytes = 132 << 10;
    // Most clusters do not even begin like one.
    const std::vector<std::byte> head = read_cluster(image_, offset, sizeof(RawSnapshotHead));
    if (head.empty() || !l1_.contains(load_big_endian<std::uint64_t>(head.data()))) return;
    ScannedSnapshots table{.offset = offset};
    for (std::uint64_t at = offset;;) {
      const auto decoded = decode_snapshot(read_cluster(image_, at, kMostEntryBytes));
      if (!decoded || !is_plausible(decoded->snapshot)) break;
      table.snapshots.push_back(decoded->snapshot);
      at += decoded->entry_bytes;
    }
    if (!table.snapshots.empty()) found_.snapshots.push_back(std::move(table));
  }

  bool is_plausible(const Snapshot& snapshot) const {
    return !snapshot.id.empty() &&
           std::ranges::all_of(snapshot.id, [](char c) { return c > 0x20 && c < 0x7f; }) &&
           (snapshot.l1_size == 0 || l1_.contains(snapshot.l1_table_offset));
  }

  const Device& image_;
  const ScannedRefcounts& refcounts_;
  const std::uint64_t bytes_;  // of a cluster
  const std::uint64_t entry_bytes_;
  const bool data_file_;
  std::set<std::uint64_t> tables_;  // what L2 tables could be, L1 tables among them
  std::vector<std::uint64_t> others_;
  std::map<std::uint64_t, std::uint64_t> l1_;  // offset -> entries in use
  ScannedTables found_;
};

}  // namespace

std::vector<ScannedRefcounts> scan_refcount_tables(const Device& image, std::optional<unsigned> cluster_bits,
                                                   std::optional<unsigned> refcount_order) {
  std::vector<ScannedRefcounts> found;
  const std::vector<std::uint64_t> offsets = likely_refcount_tables(image);
  for (unsigned bits = kLeastClusterBits; bits <= kMostClusterBits; ++bits) {
    const std::uint64_t bytes = std::uint64_t{1} << bits;
    if (cluster_bits.value_or(bits) != bits) continue;
    for (const std::uint64_t offset : offsets) {
      if (offset % bytes != 0) continue;
      ScannedRefcounts table{.cluster_bits = bits, .offset = offset};
      table.blocks = read_block_offsets(image, offset, bytes);
      if (table.blocks.empty() || table.blocks[0] == 0) continue;
      for (unsigned order = 0; order <= 6; ++order) {
        table.refcount_order = order;
        if (refcount_order.value_or(order) == order && counts_itself(image, table)) found.push_back(table);
      }
    }
  }
  return found;
}

ScannedTables scan_tables(const Device& image, const ScannedRefcounts& refcounts, bool extended_l2,
                          bool data_file) {
  return TableScanner(image, refcounts, extended_l2, data_file).scan();
}

}  // namespace cowvet
