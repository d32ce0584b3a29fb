#include "corpus/guest_disk.h"

#include <algorithm>
#include <cstring>

#include "corpus/patterns.h"

namespace cowvet::corpus {

void GuestDisk::write(GuestRange range, const Pattern& pattern) {
  const std::uint64_t end = range.offset + range.length;
  for (std::uint64_t at = range.offset; at < end;) {
    const std::uint64_t unit = at / unit_bytes_;
    std::vector<std::byte> bytes(unit_bytes_);
    read(unit * unit_bytes_, bytes);
    const std::uint64_t begin = at - unit * unit_bytes_;
    const std::uint64_t length = std::min(unit_bytes_ - begin, end - at);
    fill_pattern(pattern, at, std::span(bytes).subspan(begin, length));
    units_[unit] = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    at += length;
  }
}

void GuestDisk::discard(GuestRange range) {
  units_.erase(units_.lower_bound(range.offset / unit_bytes_),
               units_.lower_bound(divide_up(range.offset + range.length, unit_bytes_)));
}

void GuestDisk::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const std::uint64_t unit = offset / unit_bytes_;
    const std::uint64_t begin = offset - unit * unit_bytes_;
    const auto length = std::min<std::uint64_t>(unit_bytes_ - begin, out.size());
    if (const auto it = units_.find(unit); it != units_.end())
      std::memcpy(out.data(), it->second->data() + begin, length);
    else
      read_backing(offset, out.first(length));
    offset += length;
    out = out.subspan(length);
  }
}

void GuestDisk::read_backing(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t there = offset < backing_bytes_ ? backing_bytes_ - offset : 0;
  const auto length = std::min<std::uint64_t>(there, out.size());
  fill_pattern(backing_, offset, out.first(length));
  std::ranges::fill(out.subspan(length), std::byte{0});
}

std::vector<std::uint64_t> GuestDisk::written_units() const {
  std::vector<std::uint64_t> offsets;
  for (const auto& [unit, bytes] : units_) offsets.push_back(unit * unit_bytes_);
  return offsets;
}

}  // namespace cowvet::corpus
