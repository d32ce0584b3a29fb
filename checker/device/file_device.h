// A regular file or block device, opened for reading and never for anything else.
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "checker/device/descriptor.h"
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
  using Opened = std::expected<std::unique_ptr<FileDevice>, OpenError>;

  // Opens `path` as the user gave it; symbolic links are followed. Refuses anything but regular files and
  // block devices without opening them. Leaves no access time where the system permits.
  static Opened open(const std::string& path);

  // The same for `name`, one component, in an open directory. A symbolic link is refused with ELOOP. `path`
  // is the name to show.
  static Opened open_in(int directory, const std::string& name, const std::string& path);

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return size_bytes_; }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override;
  DataExtent next_data(std::uint64_t offset) const override;
  std::optional<FileIdentity> identity() const override { return identity_; }
  bool is_block_device() const override { return is_block_device_; }

  int descriptor() const { return descriptor_.get(); }

  // Whether reading leaves the access time as it is because the file was opened so: its owner may.
  bool keeps_access_time() const;

  // The file may have changed since it was opened: looks at its size and its holes again. 0, or an errno
  // value.
  int refresh();

  // Who writes to the file says so: what was a hole may be data now.
  void forget_holes();

 private:
  FileDevice(Descriptor descriptor, std::string name)
      : descriptor_(std::move(descriptor)), name_(std::move(name)) {}

  int find_size();
  static Opened open_at(int directory, const std::string& name, int flags, const std::string& path);
  DataExtent seek_data(std::uint64_t offset) const;

  Descriptor descriptor_;
  std::string name_;
  std::uint64_t size_bytes_ = 0;
  FileIdentity identity_;
  bool is_block_device_ = false;

  // The last answer of next_data: `data_` is right for every offset from here to data_.end.
  mutable std::mutex mutex_;
  mutable std::uint64_t asked_ = 0;
  mutable DataExtent data_;
};

// "No such file or directory" and the like; unlike strerror, safe in threads.
std::string describe_errno(int code);

}  // namespace cowvet
