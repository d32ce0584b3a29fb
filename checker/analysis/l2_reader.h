// Reads L2 tables in the order of the file: neighbours in one read, holes not at all.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/analysis/tables.h"

namespace cowvet {

// One for each thread.
class L2Reader {
 public:
  // `report`: whether unreadable places become findings; later walks over the same tables are silent.
  L2Reader(Context& context, bool report) : context_(context), report_(report) {}

  // The bytes [offset, offset + length) of the image, which hold one or more whole L2 tables or a part of
  // one. Parts that cannot be read count as zeros; `complete` then turns false. An empty span: all zeros.
  // Valid until the next call.
  std::span<const std::byte> read(std::uint64_t offset, std::uint64_t length, const Place& place);

  bool complete() const { return complete_; }

 private:
  void read_in_pieces(std::uint64_t offset, std::span<std::byte> out, const Place& place);

  Context& context_;
  bool report_;
  std::vector<std::byte> buffer_;
  DataExtent hole_;  // known to be zero
  bool complete_ = true;
};

}  // namespace cowvet
