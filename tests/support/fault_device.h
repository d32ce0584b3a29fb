// A device that fails where, or when, it is told to.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <vector>

#include "tests/support/wrapping_device.h"

namespace cowvet {

// Set up first, then read: only the reading may be done by several threads.
class FaultDevice final : public WrappingDevice {
 public:
  using WrappingDevice::WrappingDevice;

  // The read of that number fails, the first one being number 1. Which one that is depends on the order of
  // reads: examine with one thread.
  void fail_read(std::uint64_t number, int code = EIO) { failing_read_ = {number, code}; }

  // Every read that touches [begin, end) fails from now on; the error names the first such byte.
  void fail_range(std::uint64_t begin, std::uint64_t end, int code = EIO) {
    ranges_.push_back({{begin, end}, code});
  }

  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;

  std::uint64_t reads() const { return reads_; }
  std::uint64_t failures() const { return failures_; }
  // What could not be read of the read that failed last. Not while others read.
  const IoError& last_failure() const { return last_failure_; }

 private:
  struct FailingRead {
    std::uint64_t number = 0;
    int code = 0;
  };
  struct FailingRange {
    DataExtent bytes;
    int code = 0;
  };

  std::unexpected<IoError> fail(std::uint64_t begin, std::uint64_t end, int code) const;

  FailingRead failing_read_;
  std::vector<FailingRange> ranges_;
  mutable std::atomic<std::uint64_t> reads_ = 0;
  mutable std::atomic<std::uint64_t> failures_ = 0;
  mutable std::mutex mutex_;
  mutable IoError last_failure_;
};

}  // namespace cowvet
