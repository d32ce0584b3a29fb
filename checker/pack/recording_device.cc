#include "checker/pack/recording_device.h"

#include <algorithm>

namespace cowvet {

void ByteRanges::add(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return;
  auto at = ranges_.upper_bound(begin);
  if (at != ranges_.begin() && std::prev(at)->second >= begin) --at;
  while (at != ranges_.end() && at->first <= end) {
    begin = std::min(begin, at->first);
    end = std::max(end, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace_hint(at, begin, end);
}

std::expected<void, IoError> RecordingDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const auto done = below_.read(offset, out);
  if (done) {
    const std::scoped_lock lock(mutex_);
    const std::uint64_t size = below_.size_bytes();
    read_bytes_.add(std::min(offset, size), std::min(offset + out.size(), size));
  }
  return done;
}

std::expected<void, IoError> EmptyDevice::read(std::uint64_t /*offset*/, std::span<std::byte> out) const {
  std::ranges::fill(out, std::byte{0});
  return {};
}

}  // namespace cowvet
