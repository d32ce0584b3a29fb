// Where bytes come from. All reading of images goes through this interface, so that tests can put memory,
// faults and recordings in its place. Nothing here can write: the repair stage has its own, wider interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace cowvet {

// A read that the system refused. `code` is an errno value.
struct IoError {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  int code = 0;
};

// [begin, end) in bytes.
struct DataExtent {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const DataExtent&) const = default;
};

// What makes two names the same file: device and inode, or the device number of a block device.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

// All members may be called by several threads at once.
class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  // The name to show to a person: the path as given.
  virtual const std::string& name() const = 0;

  virtual std::uint64_t size_bytes() const = 0;

  // Fills `out` from `offset`. Bytes past the end read as zeros, as QEMU reads them. An error names the first
  // place that could not be read; `out` is then unspecified.
  virtual std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const = 0;

  // The first extent at or after `offset` that may hold anything but zeros; {size, size} where there is none.
  // A device that knows of no holes answers {offset, size}. More data may begin where the extent ends.
  virtual DataExtent next_data(std::uint64_t offset) const;

  virtual std::optional<FileIdentity> identity() const { return std::nullopt; }

  virtual bool is_block_device() const { return false; }
};

inline DataExtent Device::next_data(std::uint64_t offset) const {
  const std::uint64_t size = size_bytes();
  return offset < size ? DataExtent{offset, size} : DataExtent{size, size};
}

}  // namespace cowvet
