#include "tests/support/counting_device.h"

#include <algorithm>

namespace cowvet {

std::expected<void, IoError> CountingDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  {
    const std::scoped_lock lock(mutex_);
    ranges_.push_back({offset, offset + out.size()});
  }
  return WrappingDevice::read(offset, out);
}

std::uint64_t CountingDevice::reads() const {
  const std::scoped_lock lock(mutex_);
  return ranges_.size();
}

std::uint64_t CountingDevice::bytes_read() const {
  std::uint64_t bytes = 0;
  for (const DataExtent& range : ranges()) bytes += range.end - range.begin;
  return bytes;
}

std::vector<DataExtent> CountingDevice::ranges() const {
  const std::scoped_lock lock(mutex_);
  return ranges_;
}

std::vector<DataExtent> CountingDevice::read_again() const {
  std::vector<DataExtent> sorted = ranges();
  std::ranges::sort(sorted, {}, &DataExtent::begin);
  std::vector<DataExtent> again;
  std::uint64_t covered = 0;  // everything below was seen
  for (const DataExtent& range : sorted) {
    const std::uint64_t end = std::min(range.end, covered);
    if (range.begin < end) {
      if (!again.empty() && range.begin <= again.back().end) {
        again.back().end = std::max(again.back().end, end);
      } else {
        again.push_back({range.begin, end});
      }
    }
    covered = std::max(covered, range.end);
  }
  return again;
}

}  // namespace cowvet
