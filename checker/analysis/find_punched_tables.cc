#include "checker/analysis/find_punched_tables.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <span>

#include "checker/analysis/bytes.h"
#include "checker/analysis/l2_entry.h"
#include "checker/analysis/walk_l2_tables_again.h"
#include "checker/device/read_fully.h"

namespace cowvet {
namespace {

class PunchedTables {
 public:
  PunchedTables(Context& context, const std::vector<ClusterRange>& lost)
      : geometry_(context.geometry), judge_(context), lost_(lost) {
    for (const ClusterRange& range : lost) ends_.push_back(range.first + range.count);
  }

  // Calls found(first entry, clusters) for each run of zeros that is explained. What writes zeros over a
  // table by mistake, a disk or a file system, does so in whole sectors.
  template <typename Found>
  void search(std::span<const std::byte> bytes, Found found) const {
    const std::uint64_t entry_bytes = geometry_.l2_entry_bytes;
    const std::uint64_t per_sector = kSectorBytes / entry_bytes;
    std::uint64_t zeros = 0;  // entries, up to here
    for (std::uint64_t index = 0; index <= geometry_.l2_entries; ++index) {
      if (index < geometry_.l2_entries &&
          leading_zeros(bytes.subspan(index * entry_bytes, entry_bytes)) == entry_bytes) {
        ++zeros;
        continue;
      }
      const std::uint64_t first = index - zeros;
      if (zeros != 0 && zeros < geometry_.l2_entries && first % per_sector == 0 && zeros % per_sector == 0)
        if (const auto clusters = explain(bytes, first, zeros)) found(first, *clusters);
      zeros = 0;
    }
  }

 private:
  // The cluster that a standard entry names.
  std::optional<std::uint64_t> named(std::span<const std::byte> bytes, std::uint64_t index) const {
    const Held held =
        judge_.held(load_big_endian<std::uint64_t>(bytes.data() + index * geometry_.l2_entry_bytes));
    if (held.kind != Held::Kind::standard) return std::nullopt;
    return held.first;
  }
  std::optional<ClusterRange> explain(std::span<const std::byte> bytes, std::uint64_t first,
                                      std::uint64_t count) const {
    if (first != 0)
      if (const auto before = named(bytes, first - 1)) {
        const auto at = std::ranges::lower_bound(lost_, *before + 1, {}, &ClusterRange::first);
        if (at != lost_.end() && at->first == *before + 1 && at->count == count) return *at;
      }
    if (first + count != geometry_.l2_entries)
      if (const auto behind = named(bytes, first + count)) {
        const auto at = std::ranges::lower_bound(ends_, *behind);
        const auto range = lost_.begin() + (at - ends_.begin());
        if (at != ends_.end() && *at == *behind && range->count == count) return *range;
      }
    return std::nullopt;
  }

  const Geometry& geometry_;
  const EntryJudge judge_;
  const std::vector<ClusterRange>& lost_;
  std::vector<std::uint64_t> ends_;  // of lost_
};

}  // namespace

std::vector<Punched> find_punched_tables(Context& context, const Tables& tables,
                                         const std::vector<ClusterRange>& lost) {
  std::vector<Punched> all;
  const std::uint64_t per_sector = kSectorBytes / context.geometry.l2_entry_bytes;
  if (std::ranges::none_of(lost, [&](const ClusterRange& range) { return range.count >= per_sector; }))
    return all;
  const PunchedTables punched(context, lost);
  std::mutex mutex;
  walk_l2_tables_again(context, tables, "find_punched_tables",
                       [&](unsigned, std::uint64_t at, std::span<const std::byte> bytes) {
                         punched.search(bytes, [&](std::uint64_t first, const ClusterRange& clusters) {
                           const std::scoped_lock lock(mutex);
                           all.push_back({clusters, static_cast<std::uint32_t>(at), first});
                         });
                       });
  std::ranges::sort(all);
  const auto same = [](const Punched& a, const Punched& b) { return a.clusters == b.clusters; };
  const auto rest = std::ranges::unique(all, same);
  all.erase(rest.begin(), rest.end());
  return all;
}

}  // namespace cowvet
