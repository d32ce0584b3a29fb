// A device that remembers what was read through it.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "tests/support/wrapping_device.h"

namespace cowvet {

class CountingDevice final : public WrappingDevice {
 public:
  using WrappingDevice::WrappingDevice;

  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;

  std::uint64_t reads() const;
  std::uint64_t bytes_read() const;
  // What was asked for, in the order of reading.
  std::vector<DataExtent> ranges() const;
  // What was read more than once: disjoint, in the order of offsets.
  std::vector<DataExtent> read_again() const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<DataExtent> ranges_;
};

}  // namespace cowvet
