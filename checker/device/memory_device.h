// An image in memory: every byte counts as data, there are no holes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

class MemoryDevice final : public Device {
 public:
  explicit MemoryDevice(std::vector<std::byte> bytes, std::string name = "memory")
      : bytes_(std::move(bytes)), name_(std::move(name)) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;

  std::vector<std::byte>& bytes() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
  std::string name_;
};

}  // namespace cowvet
