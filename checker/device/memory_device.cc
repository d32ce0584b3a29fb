#include "checker/device/memory_device.h"

#include <algorithm>
#include <cstring>

namespace cowvet {

std::expected<void, IoError> MemoryDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t available = offset < bytes_.size() ? bytes_.size() - offset : 0;
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(available, out.size()));
  if (there != 0) std::memcpy(out.data(), bytes_.data() + offset, there);
  std::ranges::fill(out.subspan(there), std::byte{0});
  return {};
}

}  // namespace cowvet
