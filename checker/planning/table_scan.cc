#include "checker/planning/table_scan.h"

#include <algorithm>
#include <map>
#include <set>

#include "checker/format/endian.h"
#include "checker/format/entries.h"
#include "checker/format/units.h"
#include "checker/planning/l1_room.h"
#include "checker/planning/scan_file.h"

namespace cowvet {
namespace {

constexpr std::size_t kMostTables = 1 << 20;
constexpr std::uint64_t kMostParts = 8;  // readings that begin with one cluster, beside the longest

enum class Likeness : std::uint8_t { zeros, table, other };

// What the clusters of one image look like, with one shape of L2 entries.
class TableScanner {
 public:
  TableScanner(const Device& image, const ScannedRefcounts& refcounts, EntryShape shape)
      : image_(image),
        refcounts_(refcounts),
        counts_(image, refcounts),
        bytes_(refcounts.cluster_bytes()),
        entry_bytes_(shape.extended ? 16 : 8),
        shape_(shape) {}

  ScannedTables scan() {
    collect();
    for (const auto& [offset, traits] : tables_) note_l1(offset);
    // There, no L1 table looks like an L2 table.
    if (shape_.data_file)
      for (const std::uint64_t offset : others_) note_l1(offset);
    sum_up();
    // A cluster without any subcluster is hardly ever there.
    if (shape_.extended && any_.standard && !any_.subclusters) return {};
    std::uint64_t end_of_last = 0;
    for (const std::uint64_t offset : l1_) end_of_last = add_readings(offset, end_of_last);
    std::ranges::stable_sort(found_.l1, std::greater(), &ScannedL1::tables);
    for (const std::uint64_t offset : others_) add_snapshots(offset);
    return std::move(found_);
  }

 private:
  // What is in the entries of an L2 table.
  struct Traits {
    bool compressed = false;
    bool standard = false;
    bool subclusters = false;
  };

  bool is_of_refcounts(std::uint64_t offset) const {
    return (offset >= refcounts_.offset && offset - refcounts_.offset < refcounts_.clusters() * bytes_) ||
           blocks_.contains(offset);
  }

  void collect() {
    blocks_ = {refcounts_.blocks.begin(), refcounts_.blocks.end()};
    for (std::uint64_t at = 0; at < image_.size_bytes() && tables_.size() < kMostTables;) {
      const DataExtent data = image_.next_data(at);
      if (data.begin >= image_.size_bytes()) break;
      at = std::max(at, data.begin / bytes_ * bytes_);
      for (; at < std::min(data.end, image_.size_bytes()); at += bytes_) {
        if (at == 0 || is_of_refcounts(at) || counts_.count(at / bytes_) == 0) continue;
        Traits traits;
        const Likeness likeness = look_at(at, traits);
        if (likeness == Likeness::table) tables_.emplace(at, traits);
        if (likeness == Likeness::other && others_.size() < kMostTables) others_.push_back(at);
      }
    }
  }

  void sum_up() {
    for (const auto& [offset, traits] : tables_) {
      if (l1_.contains(offset)) continue;
      any_.compressed = any_.compressed || traits.compressed;
      any_.standard = any_.standard || traits.standard;
      any_.subclusters = any_.subclusters || traits.subclusters;
    }
    found_.any_compressed = any_.compressed;
  }

  // Whether an L2 table could be there, reading on only while it could. A few broken entries do not matter.
  Likeness look_at(std::uint64_t offset, Traits& traits) const {
    constexpr std::uint64_t kPiece = 4096;
    std::uint64_t entries = 0;
    std::uint64_t broken = 0;
    for (std::uint64_t at = 0; at < bytes_; at += kPiece) {
      if (offset + at >= image_.size_bytes()) break;
      const std::vector<std::byte> piece = read_padded(image_, offset + at, std::min(kPiece, bytes_));
      if (piece.empty()) return Likeness::other;
      for (std::uint64_t i = 0; i < piece.size(); i += entry_bytes_) {
        const L2Entry entry{load_big_endian<std::uint64_t>(piece.data() + i)};
        const SubclusterBitmap subclusters{
            shape_.extended ? load_big_endian<std::uint64_t>(piece.data() + i + 8) : 0};
        if (entry.raw == 0 && subclusters.raw == 0) continue;
        ++entries;
        broken += !may_be_entry(entry, (at + i) / entry_bytes_) || subclusters.conflict() != 0;
        (entry.compressed() ? traits.compressed : traits.standard) = true;
        traits.subclusters = traits.subclusters || subclusters.raw != 0;
      }
      if (broken * 8 > entries) return Likeness::other;
    }
    return entries == 0 ? Likeness::zeros : Likeness::table;
  }

  bool may_be_entry(L2Entry entry, std::uint64_t index) const {
    if (entry.compressed())
      return !shape_.data_file && !entry.copied() &&
             decode_compressed(entry, refcounts_.cluster_bits).offset < image_.size_bytes();
    if (entry.reserved() != 0 || entry.host_offset() % bytes_ != 0) return false;
    if (!shape_.data_file) return entry.host_offset() < image_.size_bytes();
    const bool is_unallocated = entry.host_offset() == 0 && !entry.copied();
    return is_unallocated || entry.host_offset() / bytes_ % (bytes_ / entry_bytes_) == index;
  }

  // The L2 tables that a cluster of an L1 table names, and nothing else; empty: it is none.
  std::set<std::uint64_t> named_by(std::uint64_t offset, std::uint64_t& used_entries) const {
    const std::vector<std::byte> cluster = read_padded(image_, offset, bytes_);
    std::set<std::uint64_t> named;
    for (std::uint64_t i = 0; i < cluster.size(); i += 8) {
      const L1Entry entry{load_big_endian<std::uint64_t>(cluster.data() + i)};
      if (entry.raw == 0) continue;
      if (entry.reserved() != 0 || !tables_.contains(entry.l2_offset()) ||
          !named.insert(entry.l2_offset()).second)
        return {};
      used_entries = i / 8 + 1;
    }
    return named;
  }

  void note_l1(std::uint64_t offset) {
    std::uint64_t used = 0;
    if (!named_by(offset, used).empty()) l1_.insert(offset);
  }

  // The table may go on in the clusters behind it, through empty ones: what names the same L2 tables again is
  // another one. `end_of_last`: of the longest reading so far, inside which only short ones begin, or a chain
  // of tables would be walked from each of its clusters. Returns where the longest one ends.
  std::uint64_t add_readings(std::uint64_t offset, std::uint64_t end_of_last) {
    const bool is_first = offset >= end_of_last;
    const std::uint64_t most = is_first ? kMostL1Entries * 8 / bytes_ : kMostParts;
    ScannedL1 reading{.offset = offset, .clusters = 0};
    ScannedL1 longest;
    std::set<std::uint64_t> named;
    const std::size_t first = found_.l1.size();
    for (std::uint64_t clusters = 1; clusters <= most; ++clusters) {
      const std::uint64_t at = offset + (clusters - 1) * bytes_;
      if (!append(at, clusters, reading, named)) break;
      if (l1_.contains(at)) longest = reading;
      if (clusters <= kMostParts) found_.l1.push_back(reading);
    }
    if (longest.clusters > kMostParts) found_.l1.push_back(longest);
    for (std::size_t i = first; i < found_.l1.size(); ++i) found_.l1[i].room = reading.clusters;
    return std::max(end_of_last, offset + longest.clusters * bytes_);
  }

  bool append(std::uint64_t at, std::uint64_t clusters, ScannedL1& reading, std::set<std::uint64_t>& named) {
    if (at >= image_.size_bytes() || is_of_refcounts(at) || counts_.count(at / bytes_) == 0) return false;
    if (l1_.contains(at)) {
      std::uint64_t used = 0;
      for (const std::uint64_t table : named_by(at, used))
        if (!named.insert(table).second) return false;
      reading.used_entries = (clusters - 1) * (bytes_ / 8) + used;
      reading.tables = named.size();
    } else if (Traits traits; look_at(at, traits) != Likeness::zeros) {
      return false;
    }
    reading.clusters = clusters;
    return true;
  }

  void add_snapshots(std::uint64_t offset) {
    constexpr std::uint64_t kMostEntryBytes = 132 << 10;
    // Most clusters do not even begin like one.
    const std::vector<std::byte> head = read_padded(image_, offset, sizeof(RawSnapshotHead));
    if (head.empty() || !l1_.contains(load_big_endian<std::uint64_t>(head.data()))) return;
    ScannedSnapshots table{.offset = offset, .snapshots = {}};
    for (std::uint64_t at = offset;;) {
      const auto decoded = decode_snapshot(read_padded(image_, at, kMostEntryBytes));
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
  RefcountReader counts_;
  const std::uint64_t bytes_;  // of a cluster
  const std::uint64_t entry_bytes_;
  const EntryShape shape_;
  std::set<std::uint64_t> blocks_;          // refcount blocks
  std::map<std::uint64_t, Traits> tables_;  // what L2 tables could be, L1 tables among them
  std::vector<std::uint64_t> others_;
  std::set<std::uint64_t> l1_;  // clusters that are part of an L1 table
  Traits any_;
  ScannedTables found_;
};

}  // namespace

ScannedTables scan_tables(const Device& image, const ScannedRefcounts& refcounts, EntryShape shape) {
  return TableScanner(image, refcounts, shape).scan();
}

}  // namespace cowvet
