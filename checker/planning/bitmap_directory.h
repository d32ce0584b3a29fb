// The bitmap directory as a whole, for remedies: the header extension that says where it is, writing it anew,
// giving bitmaps up, and finding a directory that was lost.
#pragma once

#include <functional>
#include <optional>

#include "checker/planning/round.h"

namespace cowvet {

// Where a directory lies and what it has: what the bitmaps extension should say.
struct DirectoryExtent {
  std::uint64_t offset = 0;  // bytes
  std::uint64_t length = 0;  // bytes
  std::uint32_t count = 0;   // bitmaps
};

// Entries that make sense, one after the other from `offset` on: as many as `most`, or as lie before `end`.
DirectoryExtent measure_directory(const Round& round, std::uint64_t offset, std::uint64_t end,
                                  std::uint32_t most);

// The only leaked cluster at which `count` entries of together `length` bytes lie.
std::optional<DirectoryExtent> find_lost_directory(const Round& round, std::uint64_t length,
                                                   std::uint32_t count);

// Has the bitmaps extension say so, into the step at hand. Its length is put right as well.
void name_directory(Round& round, const DirectoryExtent& extent);

// Writes the directory without the bitmaps for which `is_dropped` holds, or drops the extension where none is
// left. What only they refer to becomes free. Once a round.
void drop_bitmaps(Round& round, const Finding& finding, const std::string& why,
                  const std::function<bool(const BitmapRecord&)>& is_dropped);

// Removes the extension, and clears the feature bit that says it is there.
void drop_bitmaps_extension(Round& round, const Finding& finding, const std::string& why);

}  // namespace cowvet
