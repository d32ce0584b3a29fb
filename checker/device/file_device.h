// A regular file or block device, opened for reading and never for anything else.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "checker/device/device.h"

namespace cowvet {

// Why a file could not be opened: a sentence that names the path. `code` is an errno value, 0 where the file
// was refused for what it is.
struct OpenError {
  std::string message;
  int code = 0;
};

class FileDevice final : public Device {
 public:
  // Opens `path` as the user gave it; symbolic links are followed. Refuses anything but regular files and
  // block devices without waiting for them (a FIFO, say). Leaves no access time where the system permits.
  static std::expected<std::unique_ptr<FileDevice>, OpenError> open(const std::string& path);

  // Takes over an open descriptor; `path` is the name to show.
  static std::expected<std::unique_ptr<FileDevice>, OpenError> adopt(int descriptor, const std::string& path);

  ~FileDevice() override;

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override;
  std::optional<FileIdentity> identity() const override { return identity_; }
  bool is_block_device() const override { return is_block_device_; }

  int descriptor() const { return descriptor_; }

 private:
  FileDevice(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}

  int descriptor_;
  std::string name_;
  std::uint64_t size_bytes_ = 0;
  FileIdentity identity_;
  bool is_block_device_ = false;
};

// "No such file or directory" and the like; unlike strerror, safe in threads.
std::string describe_errno(int code);

}  // namespace cowvet
