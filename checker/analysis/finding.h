// What the passes say: findings are data. Nothing here prints.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "checker/catalogue/catalogue.h"
#include "checker/format/units.h"

namespace cowvet {

enum class File : std::uint8_t { image, data_file, backing_file };

// The structures of the format, as findings and `map --clusters` name them.
enum class Structure : std::uint8_t {
  none,
  header,
  header_extension,
  l1_table,
  l2_table,
  refcount_table,
  refcount_block,
  snapshot_table,
  snapshot_l1_table,
  bitmap_directory,
  bitmap_table,
  bitmap_data,
  luks_header,
  data,             // standard guest clusters
  compressed_data,  // streams of compressed guest clusters
};

std::string_view to_string(File file);            // "image", "data-file", "backing-file"
std::string_view to_string(Structure structure);  // "L2 table", ...

// One place in a file. Offsets and lengths are bytes; the indices are entry numbers in the named tables.
struct Place {
  File file = File::image;
  Structure structure = Structure::none;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::optional<std::uint64_t> l1_index;
  std::optional<std::uint64_t> l2_index;
  std::optional<GuestRange> guest;
  std::string owner;  // whose: empty for the active disk, else "snapshot ID (NAME)" or "bitmap NAME"

  auto operator<=>(const Place&) const = default;
};

// One finding stands for `count` broken entries or clusters, next to each other and alike.
struct Finding {
  RuleId rule;
  Severity severity = rule->severity;
  Place place;
  std::optional<Place> other = {};  // the second party of a conflict
  std::uint64_t count = 1;
  std::optional<std::uint64_t> expected = {};
  std::optional<std::uint64_t> found = {};
  std::string detail = {};  // what is wrong here, one line without a full stop

  auto operator<=>(const Finding&) const = default;
};

}  // namespace cowvet
