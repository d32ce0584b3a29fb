// What a guest sees, kept apart from how the image stores it: the builder fills both, tests compare what
// QEMU reads from the image with this.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "corpus/recipe.h"

namespace cowvet::corpus {

class GuestDisk {
 public:
  // Content is kept in units of `unit_bytes`. Where nothing was written, the backing file is read.
  GuestDisk(std::uint64_t unit_bytes, std::uint64_t backing_bytes, Pattern backing)
      : unit_bytes_(unit_bytes), backing_bytes_(backing_bytes), backing_(backing) {}

  void write(GuestRange range, const Pattern& pattern);
  void discard(GuestRange range);  // whole units: they read from the backing file again

  void read(std::uint64_t offset, std::span<std::byte> out) const;

  // The offsets of units that were written, ascending.
  std::vector<std::uint64_t> written_units() const;
  std::uint64_t unit_bytes() const { return unit_bytes_; }

 private:
  using Unit = std::shared_ptr<const std::vector<std::byte>>;

  void read_backing(std::uint64_t offset, std::span<std::byte> out) const;

  std::uint64_t unit_bytes_;
  std::uint64_t backing_bytes_;
  Pattern backing_;
  std::map<std::uint64_t, Unit> units_;  // by number; copies of the disk share them
};

}  // namespace cowvet::corpus
