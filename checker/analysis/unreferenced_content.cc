#include "checker/analysis/unreferenced_content.h"

#include <algorithm>
#include <mutex>

#include "checker/analysis/parallel.h"
#include "checker/format/endian.h"

namespace cowvet {

UnreferencedContent::UnreferencedContent(Context& context, const ClusterSet& leaked,
                                         const ClusterSet& uncounted, const Offenders& offenders)
    : context_(context),
      geometry_(context.geometry),
      leaked_(leaked),
      uncounted_(uncounted),
      judge_(context) {
  for (const MismatchRun& run : offenders.runs[static_cast<unsigned>(Mismatch::too_high)])
    counted_too_high_.add(run.first, run.count);
}

void UnreferencedContent::look_into(std::span<const ClusterRange> regions, const ClusterSet& spared,
                                    const std::function<void(std::uint64_t, ClusterContent)>& visit) const {
  constexpr std::uint64_t kPiece = 1024;  // clusters
  std::vector<ClusterRange> pieces;
  for (const ClusterRange& region : regions)
    for (std::uint64_t at = 0; at < region.count; at += kPiece)
      if (region.first + at < geometry_.file_clusters)
        pieces.push_back({region.first + at, std::min({kPiece, region.count - at,
                                                       geometry_.file_clusters - region.first - at})});
  std::mutex mutex;
  context_.progress.begin("examine_leaks", pieces.size());
  parallel_for(thread_count(context_.options.threads, pieces.size()), pieces.size(),
               [&](std::uint64_t i, unsigned) {
                 std::vector<std::byte> buffer(geometry_.cluster_bytes);
                 const std::uint64_t end = pieces[i].first + pieces[i].count;
                 std::uint64_t data_end = 0;  // bytes; behind it nothing is known
                 for (std::uint64_t cluster = pieces[i].first; cluster < end; ++cluster) {
                   const std::uint64_t offset = cluster << geometry_.cluster_bits;
                   if (offset >= data_end) {
                     const DataExtent data = context_.image.next_data(offset);
                     data_end = data.end;
                     cluster = std::max(cluster, data.begin >> geometry_.cluster_bits);
                     if (cluster >= end) break;
                   }
                   if (spared.contains(cluster)) continue;
                   const ClusterContent content = look_into(cluster, buffer);
                   if (content == ClusterContent::zeros) continue;
                   const std::scoped_lock lock(mutex);
                   visit(cluster, content);
                 }
                 context_.progress.advance(1);
               });
}

// Reads on only while the cluster may still be a table: most guest data is recognised by its first entries.
// An entry or two of a lost table may be damaged as well.
ClusterContent UnreferencedContent::look_into(std::uint64_t cluster, std::vector<std::byte>& buffer) const {
  constexpr std::uint64_t kPiece = 4096;
  constexpr std::uint64_t kMostDamaged = 2;
  const std::uint64_t offset = cluster << geometry_.cluster_bits;
  std::uint64_t targets = 0;
  std::uint64_t unexplained = 0;  // those that miss a reference
  std::uint64_t damaged = 0;
  bool is_told_apart = context_.unknown_references.empty() && !uncounted_.contains(cluster);
  bool is_zero = true;
  for (std::uint64_t at = 0; at < geometry_.cluster_bytes; at += kPiece) {
    const std::span piece(buffer.data(), std::min(kPiece, geometry_.cluster_bytes));
    if (!context_.read(context_.image, offset + at, piece, Place{.structure = Structure::data}))
      return ClusterContent::other;
    for (std::uint64_t i = 0; i < piece.size(); i += geometry_.l2_entry_bytes) {
      const auto entry = load_big_endian<std::uint64_t>(piece.data() + i);
      const SubclusterBitmap subclusters{
          geometry_.l2_entry_bytes == 16 ? load_big_endian<std::uint64_t>(piece.data() + i + 8) : 0};
      if (entry == 0 && subclusters.raw == 0) continue;
      is_zero = false;
      if (!judge_.is_plausible(entry, subclusters)) {
        if (++damaged > kMostDamaged) return ClusterContent::other;
        continue;
      }
      is_told_apart = is_told_apart || (entry & (kCopied | kCompressed)) != 0;
      const Held held = judge_.held(entry);
      if (held.kind == Held::Kind::nothing) {
        // Beside a data file a lost table names no cluster of this file: each entry speaks for itself.
        targets += context_.header.has_data_file() && (entry & kCopied) != 0;
        unexplained += context_.header.has_data_file() && (entry & kCopied) != 0;
        continue;
      }
      ++targets;
      unexplained += leaked_.contains(held.first) || counted_too_high_.contains(held.first) ||
                     uncounted_.contains(held.first);
    }
  }
  if (targets == 0) return is_zero ? ClusterContent::zeros : ClusterContent::other;
  const bool is_table = is_told_apart && unexplained * 2 >= targets && damaged * 4 <= targets;
  return is_table ? ClusterContent::l2_table : ClusterContent::other;
}

}  // namespace cowvet
