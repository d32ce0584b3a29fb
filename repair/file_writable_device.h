// A regular file or block device, opened for writing.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "checker/device/descriptor.h"
#include "checker/device/file_device.h"
#include "repair/writable_device.h"

namespace cowvet {

class FileWritableDevice final : public WritableDevice {
 public:
  // As FileDevice::open; a block device that is mounted or otherwise claimed is refused.
  static std::expected<std::unique_ptr<FileWritableDevice>, OpenError> open(const std::string& path);

  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return reader_->size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return reader_->read(offset, out);
  }
  DataExtent next_data(std::uint64_t offset) const override { return reader_->next_data(offset); }
  std::optional<FileIdentity> identity() const override { return reader_->identity(); }
  bool is_block_device() const override { return reader_->is_block_device(); }

  std::expected<void, IoError> write(std::uint64_t offset, std::span<const std::byte> bytes) override;
  std::expected<void, IoError> resize(std::uint64_t size_bytes) override;
  std::expected<void, IoError> reserve(std::uint64_t offset, std::uint64_t length) override;
  std::expected<void, IoError> flush() override;

  // Gives the space back; the bytes read as zeros afterwards. Fails where the file system cannot.
  std::expected<void, IoError> discard(std::uint64_t offset, std::uint64_t length);

  int descriptor() const { return writer_.get(); }

 private:
  FileWritableDevice(std::string name, std::unique_ptr<FileDevice> reader, Descriptor writer)
      : name_(std::move(name)), reader_(std::move(reader)), writer_(std::move(writer)) {}

  std::expected<void, IoError> look_again();

  std::string name_;
  std::unique_ptr<FileDevice> reader_;  // knows the size of when it was opened
  Descriptor writer_;
};

}  // namespace cowvet
