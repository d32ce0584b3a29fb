#include "checker/planning/lost_tables.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "checker/analysis/bytes.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/refcount_table.h"
#include "checker/analysis/references.h"
#include "checker/analysis/tables.h"
#include "checker/format/entries.h"

namespace cowvet {
namespace {

constexpr std::size_t kMostClusters = 1 << 20;
constexpr std::uint64_t kMostL1Bytes = 32 << 20;  // QEMU limit

// What findings call leaked or lost.
std::vector<std::uint64_t> leaked_clusters(const Round& round) {
  std::set<std::uint64_t> offsets;
  for (const Finding& finding : round.findings) {
    if (finding.rule != rule("refcount/orphan-mapping") && finding.rule != rule("refcount/leak")) continue;
    const std::uint64_t end =
        std::min(finding.place.offset + finding.place.length, round.context.geometry.file_bytes);
    for (std::uint64_t at = finding.place.offset; at < end && offsets.size() < kMostClusters;
         at += round.context.geometry.cluster_bytes)
      offsets.insert(at);
  }
  return {offsets.begin(), offsets.end()};
}

// Without a reference, and not in a hole of the file.
std::vector<std::uint64_t> unreferenced_clusters(const Round& round) {
  const Geometry& geometry = round.context.geometry;
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t at = 0; at < geometry.file_bytes && offsets.size() < kMostClusters;) {
    const DataExtent data = round.context.image.next_data(at);
    if (data.begin >= geometry.file_bytes) break;
    at = std::max(at, data.begin >> geometry.cluster_bits << geometry.cluster_bits);
    for (; at < std::min(data.end, geometry.file_bytes) && offsets.size() < kMostClusters;
         at += geometry.cluster_bytes)
      if (round.context.references->references(at >> geometry.cluster_bits) == 0) offsets.push_back(at);
  }
  return offsets;
}

// Reads up to the end of the file; what is missing reads as zeros.
std::vector<std::byte> read_clusters(const Round& round, std::uint64_t offset, std::uint64_t bytes) {
  const Geometry& geometry = round.context.geometry;
  std::vector<std::byte> content(divide_up(bytes, geometry.cluster_bytes) << geometry.cluster_bits);
  if (offset >= geometry.file_bytes) return {};
  const std::uint64_t there = std::min(content.size(), geometry.file_bytes - offset);
  if (!round.context.image.read(offset, std::span(content).first(there))) return {};
  return content;
}

enum class TableContent : std::uint8_t { empty, entries, other };

// What an L1 entry names: an L2 table holds entries that may be there; an empty one says nothing.
class L2Recognizer {
 public:
  explicit L2Recognizer(const Round& round) : round_(round), judge_(round.context) {
    if (round.context.tables)
      for (const L2Table& table : round.context.tables->l2)
        if (table.walk) known_.insert(table.offset);
  }

  // Reads a cluster once, however many tables name it.
  TableContent look_at(std::uint64_t offset) {
    if (known_.contains(offset)) return TableContent::entries;
    const auto [seen, is_new] = seen_.try_emplace(offset, TableContent::other);
    if (is_new) seen->second = read_table(offset);
    return seen->second;
  }

 private:
  TableContent read_table(std::uint64_t offset) const {
    constexpr std::uint64_t kPiece = 4096;
    const Geometry& geometry = round_.context.geometry;
    std::vector<std::byte> piece(std::min(kPiece, geometry.cluster_bytes));
    TableContent found = TableContent::empty;
    for (std::uint64_t at = 0; at < geometry.cluster_bytes; at += piece.size()) {
      const std::uint64_t there = std::min<std::uint64_t>(
          piece.size(), geometry.file_bytes - std::min(geometry.file_bytes, offset + at));
      std::ranges::fill(piece, std::byte{0});
      if (there != 0 && !round_.context.image.read(offset + at, std::span(piece).first(there)))
        return TableContent::other;
      const TableContent part = judge_piece(piece);
      if (part == TableContent::other) return part;
      if (part == TableContent::entries) found = part;
    }
    return found;
  }

  TableContent judge_piece(std::span<const std::byte> piece) const {
    const unsigned entry_bytes = round_.context.geometry.l2_entry_bytes;
    TableContent found = TableContent::empty;
    for (std::uint64_t i = 0; i < piece.size(); i += entry_bytes) {
      const auto entry = load_big_endian<std::uint64_t>(piece.data() + i);
      const SubclusterBitmap subclusters{
          entry_bytes == 16 ? load_big_endian<std::uint64_t>(piece.data() + i + 8) : 0};
      if (entry == 0 && subclusters.raw == 0) continue;
      if (!judge_.is_plausible(entry, subclusters)) return TableContent::other;
      found = TableContent::entries;
    }
    return found;
  }

  const Round& round_;
  const EntryJudge judge_;
  std::set<std::uint64_t> known_;
  std::unordered_map<std::uint64_t, TableContent> seen_;
};

// Looks for L1 tables. What it reads is limited: a table may be claimed to be long at very many places.
class L1Recognizer {
 public:
  explicit L1Recognizer(const Round& round)
      : round_(round), l2_(round), bytes_left_(2 * round.context.geometry.file_bytes + kMostL1Bytes) {}

  bool holds(std::uint64_t offset, std::uint64_t entries) {
    const std::uint64_t cluster_bytes = round_.context.geometry.cluster_bytes;
    const std::uint64_t end = divide_up(entries * 8, cluster_bytes) * cluster_bytes;
    named_.clear();
    for (std::uint64_t at = 0; at < end; at += cluster_bytes)
      if (!holds_part(offset, at / 8, entries)) return false;
    bool any = false;
    for (const std::uint64_t table : named_) {
      const TableContent content = l2_.look_at(table);
      if (content == TableContent::other) return false;
      any = any || content == TableContent::entries;
    }
    return any;
  }

 private:
  // One cluster of the table, which begins with entry `first`.
  bool holds_part(std::uint64_t offset, std::uint64_t first, std::uint64_t entries) {
    const Context& context = round_.context;
    if (bytes_left_ < context.geometry.cluster_bytes) return false;
    bytes_left_ -= context.geometry.cluster_bytes;
    const std::vector<std::byte> part = read_clusters(round_, offset + first * 8, 1);
    if (part.empty()) return false;
    for (std::uint64_t i = 0; i < part.size(); i += 8) {
      const L1Entry entry{load_big_endian<std::uint64_t>(part.data() + i)};
      if (entry.raw == 0) continue;
      const std::uint64_t table = entry.l2_offset();
      if (first + i / 8 >= entries || entry.reserved() != 0 || table == 0 || !context.aligned(table) ||
          !context.clusters_in_file(table, 1) || !named_.insert(table).second)
        return false;
    }
    return true;
  }

  const Round& round_;
  L2Recognizer l2_;
  std::uint64_t bytes_left_;
  std::set<std::uint64_t> named_;
};

}  // namespace

std::vector<std::uint64_t> unowned_clusters(const Round& round) {
  const bool counted = round.context.refcounts && round.context.refcounts->complete &&
                       !round.context.refcounts->blocks.empty();
  return counted ? leaked_clusters(round) : unreferenced_clusters(round);
}

bool is_unowned(const Round& round, std::uint64_t offset, std::uint64_t length) {
  const unsigned bits = round.context.geometry.cluster_bits;
  if (length == 0 || !round.context.clusters_in_file(offset, length)) return false;
  for (std::uint64_t cluster = offset >> bits; cluster <= (offset + length - 1) >> bits; ++cluster)
    if (round.context.references->references(cluster) != 0) return false;
  return true;
}

std::vector<std::uint64_t> lost_l1_tables(const Round& round, std::uint64_t entries) {
  std::vector<std::uint64_t> found;
  if (entries == 0 || entries * 8 > kMostL1Bytes) return found;
  L1Recognizer recognizer(round);
  for (const std::uint64_t offset : unowned_clusters(round))
    if (recognizer.holds(offset, entries) && is_unowned(round, offset, entries * 8)) found.push_back(offset);
  return found;
}

bool holds_l1_table(const Round& round, std::uint64_t offset, std::uint64_t entries) {
  return entries != 0 && entries * 8 <= kMostL1Bytes && L1Recognizer(round).holds(offset, entries);
}

std::vector<std::uint64_t> lost_bitmap_tables(const Round& round, std::uint32_t entries, bool with_empty) {
  const Context& context = round.context;
  std::vector<std::uint64_t> found;
  const std::uint64_t bytes = divide_up(entries * std::uint64_t{8}, context.geometry.cluster_bytes)
                              << context.geometry.cluster_bits;
  // A long table may be claimed to be at very many places.
  std::uint64_t bytes_left = 2 * context.geometry.file_bytes + context.geometry.cluster_bytes;
  const auto holds_table = [&](std::uint64_t offset) {
    if (bytes_left < bytes) return false;
    bytes_left -= bytes;
    const std::vector<std::byte> table = read_clusters(round, offset, entries * std::uint64_t{8});
    if (table.empty()) return false;
    bool any = false;
    for (std::uint64_t at = 0; at < table.size(); at += 8) {
      const BitmapTableEntry entry{load_big_endian<std::uint64_t>(table.data() + at)};
      if (entry.raw == 0) continue;
      any = true;
      const std::uint64_t data = entry.host_offset();
      if (at / 8 >= entries || entry.reserved() != 0 || !context.aligned(data) ||
          !context.clusters_in_file(data, 1) || (data != 0 && !is_unowned(round, data, 1)))
        return false;
    }
    return any || with_empty;
  };
  for (const std::uint64_t offset : unowned_clusters(round))
    if (holds_table(offset) && is_unowned(round, offset, entries * std::uint64_t{8})) found.push_back(offset);
  return found;
}

std::vector<std::uint64_t> lost_luks_headers(const Round& round) {
  constexpr unsigned char kLuksMagic[] = {'L', 'U', 'K', 'S', 0xba, 0xbe};
  std::vector<std::uint64_t> found;
  std::vector<std::uint64_t> offsets = unowned_clusters(round);
  // A wrong offset may be off by a little: then most of the true place is claimed.
  if (const auto& area = round.context.luks_area)
    for (std::uint64_t at = 0; at < area->second; at += round.context.geometry.cluster_bytes)
      offsets.push_back(area->first + at);
  for (const std::uint64_t offset : offsets) {
    std::byte magic[sizeof kLuksMagic];
    if (round.context.in_file(offset, sizeof magic) && round.context.image.read(offset, magic) &&
        std::memcmp(magic, kLuksMagic, sizeof magic) == 0)
      found.push_back(offset);
  }
  return found;
}

bool unowned_are_zeros(const Round& round) {
  return std::ranges::all_of(unowned_clusters(round), [&](std::uint64_t offset) {
    const std::vector<std::byte> content = read_clusters(round, offset, 1);
    return !content.empty() && leading_zeros(content) == content.size();
  });
}

}  // namespace cowvet
