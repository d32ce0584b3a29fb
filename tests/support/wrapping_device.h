// A device over another one, to be refined by tests. Passes everything on; the device below must outlive it.
#pragma once

#include <string>

#include "checker/device/device.h"

namespace cowvet {

class WrappingDevice : public Device {
 public:
  explicit WrappingDevice(const Device& below) : below_(below) {}

  const std::string& name() const override { return below_.name(); }
  std::uint64_t size_bytes() const override { return below_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return below_.read(offset, out);
  }
  DataExtent next_data(std::uint64_t offset) const override { return below_.next_data(offset); }
  std::optional<FileIdentity> identity() const override { return below_.identity(); }
  bool is_block_device() const override { return below_.is_block_device(); }

 private:
  const Device& below_;
};

}  // namespace cowvet
