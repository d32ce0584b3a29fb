// Where bytes go: the wider interface that only the repair stage has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

#include "checker/device/device.h"

namespace cowvet {

// One caller at a time: nobody may read while another thread writes.
class WritableDevice : public Device {
 public:
  // Writes all of `bytes` or fails; after a failure any part of them may have been written.
  virtual std::expected<void, IoError> write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  // What is added reads as zeros. A block device can only stay as it is.
  virtual std::expected<void, IoError> resize(std::uint64_t size_bytes) = 0;

  // Has the space for [offset, offset + length) allocated, so that writing there cannot fail for want of it.
  // Changes neither bytes nor size. A file system that cannot promise this succeeds without doing anything.
  virtual std::expected<void, IoError> reserve(std::uint64_t offset, std::uint64_t length) = 0;

  // Everything written before is on the medium afterwards. After a failure nothing is known about what was
  // written since the last success, not even if a later flush succeeds: it must be written again.
  virtual std::expected<void, IoError> flush() = 0;
};

}  // namespace cowvet
