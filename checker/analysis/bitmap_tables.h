// What a bitmap directory entry points at: the bitmap table and, through it, clusters of bitmap data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>

#include "checker/analysis/areas.h"
#include "checker/analysis/context.h"

namespace cowvet {

// Examines the tables of one image, one after the other, and claims their areas. Bytes that several bitmaps
// name as their table are examined once. Once as many clusters of bitmap data are claimed as the file has, no
// more are: some then overlap, and the claims made so far show it. A table that lies on other metadata is not
// followed: what stands there names clusters, but not those of the bitmap.
class BitmapTables {
 public:
  explicit BitmapTables(Context& context)
      : context_(context), other_areas_(context), claims_left_(context.geometry.file_clusters) {}

  // Sets table_usable, and claims the table and what it names.
  void examine(BitmapRecord& record);

  // "If the size of the bitmap data is not a multiple of the cluster size then the last cluster of the bitmap
  // data contains some unused tail bits. These bits must be zero." Reads each cluster once.
  void examine_tail(const BitmapRecord& record);

  // False: a table, or something that one names, could not be read or believed.
  bool all_known() const { return all_known_; }

 private:
  Context& context_;
  const AreaIndex other_areas_;  // claimed before the first bitmap
  bool all_known_ = true;
  std::uint64_t claims_left_;                        // clusters
  std::map<std::uint64_t, std::uint64_t> examined_;  // begin to end in the image, bytes; disjoint
  std::set<std::uint64_t> tails_;                    // offsets of clusters that were examined
};

// Entries that the bitmap's table needs for the virtual disk; nothing where its granularity makes no sense.
std::optional<std::uint64_t> needed_table_entries(const Context& context, const Bitmap& bitmap);

}  // namespace cowvet
