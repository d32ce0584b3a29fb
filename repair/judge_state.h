// What lies on disk, measured against a set of changes: old, new, something of both, or what a third party
// wrote.
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "repair/changes.h"

namespace cowvet {

struct StateOnDisk {
  bool is_old = true;  // byte for byte, length included
  bool is_new = true;
  bool is_marked = false;    // the header can be read, is of version 3, and carries the corrupt bit
  bool is_unmarked = false;  // the same without the bit
  // The first place that is neither old nor new.
  std::optional<std::uint64_t> foreign_offset;
  File foreign_file = File::image;
};

// Reads all that changes. The corrupt bit of the header may be as either side or the mark has it. An error:
// these are not the files that the changes were made for, whatever happened to them, or they cannot be read.
std::expected<StateOnDisk, std::string> judge_state(const Changes& changes, const RepairFiles& files);

}  // namespace cowvet
