// The first cluster as it is to be written anew: header, extensions, backing file name.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "checker/format/extensions.h"
#include "checker/format/header.h"
#include "checker/planning/trial.h"

namespace cowvet {

struct HeaderDraft {
  Header header;
  std::optional<LuksPointer> luks = {};
  std::optional<BitmapsExtension> bitmaps = {};
  std::string data_file_name = {};        // empty: whoever opens the image names it
  std::vector<std::byte> donor = {};      // first cluster of another image; may be empty
  std::vector<Patch> bitmap_flags = {};   // fields of the bitmap directory
  bool size_is_deduced = false;           // from the length of the L1 table
  std::string size_source = {};           // for people
  std::vector<std::string> remarks = {};  // what was found and decided, for people

  std::uint64_t l2_window_bytes() const;
  // The L1 table fills this many clusters; where nothing else says the disk's size, that grows as well.
  void lengthen_l1(std::uint64_t clusters);

  // Feature bits and encryption method follow from what is there. The donor's extensions are kept, but for
  // those that say where something of its own is; its backing file name is, too. None: it does not fit into
  // one cluster, or behind the end of a file of `file_bytes`.
  std::optional<std::vector<Patch>> patches(std::uint64_t file_bytes) const;
};

}  // namespace cowvet
