// Hands a device that belongs to somebody else to a check, which can be ended early that way.
#pragma once

#include <cerrno>
#include <functional>
#include <string>
#include <utility>

#include "checker/device/device.h"

namespace cowvet {

class BorrowedDevice final : public Device {
 public:
  // Every read fails from when `stop` is true; it may be empty.
  explicit BorrowedDevice(const Device& device, std::function<bool()> stop = {})
      : device_(device), stop_(std::move(stop)) {}

  const std::string& name() const override { return device_.name(); }
  std::uint64_t size_bytes() const override { return device_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (stop_ && stop_()) return std::unexpected(IoError{offset, out.size(), EINTR});
    return device_.read(offset, out);
  }
  DataExtent next_data(std::uint64_t offset) const override { return device_.next_data(offset); }
  std::optional<FileIdentity> identity() const override { return device_.identity(); }
  bool is_block_device() const override { return device_.is_block_device(); }

 private:
  const Device& device_;
  const std::function<bool()> stop_;
};

}  // namespace cowvet
