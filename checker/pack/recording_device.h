// A device that remembers which bytes were read through it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "checker/device/device.h"

namespace cowvet {

// Sets of bytes, as disjoint ranges.
class ByteRanges {
 public:
  void add(std::uint64_t begin, std::uint64_t end);
  const std::map<std::uint64_t, std::uint64_t>& ranges() const { return ranges_; }  // begin to end

 private:
  std::map<std::uint64_t, std::uint64_t> ranges_;
};

class RecordingDevice final : public Device {
 public:
  // `below` and `read_bytes` must outlive it.
  RecordingDevice(const Device& below, ByteRanges& read_bytes) : below_(below), read_bytes_(read_bytes) {}
  RecordingDevice(std::unique_ptr<Device> below, ByteRanges& read_bytes)
      : owned_(std::move(below)), below_(*owned_), read_bytes_(read_bytes) {}

  const std::string& name() const override { return below_.name(); }
  std::uint64_t size_bytes() const override { return below_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override { return below_.next_data(offset); }
  std::optional<FileIdentity> identity() const override { return below_.identity(); }
  bool is_block_device() const override { return below_.is_block_device(); }

 private:
  std::unique_ptr<Device> owned_;
  const Device& below_;
  ByteRanges& read_bytes_;
  mutable std::mutex mutex_;
};

// A file of nothing but zeros that passes for another one.
class EmptyDevice final : public Device {
 public:
  explicit EmptyDevice(const Device& like)
      : name_(like.name()),
        size_bytes_(like.size_bytes()),
        identity_(like.identity()),
        is_block_device_(like.is_block_device()) {}

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t /*offset*/) const override { return {size_bytes_, size_bytes_}; }
  std::optional<FileIdentity> identity() const override { return identity_; }
  bool is_block_device() const override { return is_block_device_; }

 private:
  std::string name_;
  std::uint64_t size_bytes_;
  std::optional<FileIdentity> identity_;
  bool is_block_device_;
};

}  // namespace cowvet
