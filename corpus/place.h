// Places: how a recipe names a byte of the image without knowing its offset. "l2:3M" is the L2 table that
// maps guest offset 3 MiB, "guest:64K@1+512" a byte inside the host cluster of guest offset 64 KiB as
// snapshot 1 sees it. A place is a sum of numbers and named places.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cowvet::corpus {

enum class PlaceKind : std::uint8_t {
  header,
  extension,  // extension:NAME
  backing_name,
  l1_table,       // l1
  l1_entry,       // l1-entry:GUEST
  l2_table,       // l2:GUEST
  l2_entry,       // l2-entry:GUEST
  guest_cluster,  // guest:GUEST, the host byte that holds this guest byte
  refcount_table,
  refcount_table_entry,  // refcount-table-entry:INDEX
  refcount_block,        // refcount-block:INDEX
  snapshot_table,
  snapshot_entry,  // snapshot:ID
  bitmap_directory,
  bitmap_entry,        // bitmap:NAME
  bitmap_table,        // bitmap-table:NAME
  bitmap_table_entry,  // bitmap-table-entry:NAME:INDEX
  bitmap_data,         // bitmap-data:NAME:INDEX
  luks,
  leak,          // leak:INDEX, a cluster made by `leak`
  cluster,       // cluster:INDEX
  next_cluster,  // the first cluster behind the file
  file_end,
  virtual_size,
  cluster_size,
};

struct NamedPlace {
  PlaceKind kind{};
  std::uint64_t number = 0;  // GUEST or INDEX
  std::string name;          // NAME or ID
  std::string snapshot;      // the ID behind @; empty: the active disk
};

struct Term {
  bool negative = false;
  std::uint64_t number = 0;
  std::optional<NamedPlace> place;  // instead of the number
};

struct Expression {
  std::string source;
  std::vector<Term> terms;
};

// A + is always an operator; a - is one only before a digit, because names have hyphens in them.
std::optional<Expression> parse_expression(std::string_view text);

// For messages: the spellings of all kinds.
std::string place_spellings();

}  // namespace cowvet::corpus
