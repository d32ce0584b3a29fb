#include "repair/file_writable_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "checker/device/write_fully.h"

namespace cowvet {
namespace {

std::unexpected<IoError> error_at(std::uint64_t offset, std::uint64_t length, int code) {
  return std::unexpected(IoError{offset, length, code});
}

}  // namespace

std::expected<std::unique_ptr<FileWritableDevice>, OpenError> FileWritableDevice::open(
    const std::string& path) {
  auto reader = FileDevice::open(path);  // refuses what is no image without opening it
  if (!reader) return std::unexpected(reader.error());
  int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  // O_EXCL claims a block device; for files it means something else.
  if ((*reader)->is_block_device()) flags |= O_EXCL;
  Descriptor writer(::open(path.c_str(), flags));
  struct stat opened{};
  if (!writer || fstat(writer.get(), &opened) != 0) {
    const int code = errno;
    return std::unexpected(OpenError{fmt::format("{}: {}", path, describe_errno(code)), code});
  }
  const FileIdentity identity =
      S_ISBLK(opened.st_mode) ? FileIdentity{0, opened.st_rdev} : FileIdentity{opened.st_dev, opened.st_ino};
  if (identity != (*reader)->identity())
    return std::unexpected(OpenError{path + " was replaced while it was opened", 0});
  return std::unique_ptr<FileWritableDevice>(
      new FileWritableDevice(path, std::move(*reader), std::move(writer)));
}

std::expected<void, IoError> FileWritableDevice::write(std::uint64_t offset,
                                                       std::span<const std::byte> bytes) {
  const std::uint64_t end = offset + bytes.size();
  if (auto written = write_fully(descriptor(), offset, bytes); !written) return written;
  reader_->forget_holes();
  return end > size_bytes() ? look_again() : std::expected<void, IoError>{};
}

std::expected<void, IoError> FileWritableDevice::resize(std::uint64_t size) {
  if (size == size_bytes()) return {};
  if (is_block_device()) return error_at(size, 0, ENOSPC);
  int result = 0;
  do {
    result = ftruncate(descriptor(), static_cast<off_t>(size));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return error_at(size, 0, errno);
  return look_again();
}

std::expected<void, IoError> FileWritableDevice::look_again() {
  auto reader = FileDevice::open(fmt::format("/proc/self/fd/{}", descriptor()));
  if (!reader) return error_at(0, 0, reader.error().code);
  reader_ = std::move(*reader);
  return {};
}

std::expected<void, IoError> FileWritableDevice::reserve(std::uint64_t offset, std::uint64_t length) {
  if (is_block_device() || length == 0) return {};
  int result = 0;
  do {
    result =
        fallocate(descriptor(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return {};
  return error_at(offset, length, errno);
}

std::expected<void, IoError> FileWritableDevice::discard(std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return {};
  int result = 0;
  do {
    result = fallocate(descriptor(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                       static_cast<off_t>(length));
  } while (result != 0 && errno == EINTR);
  if (result != 0) return error_at(offset, length, errno);
  return {};
}

std::expected<void, IoError> FileWritableDevice::flush() {
  // Not repeated after an error, EINTR included: the kernel may have dropped what it could not write.
  if (fdatasync(descriptor()) != 0) return error_at(0, size_bytes(), errno);
  return {};
}

}  // namespace cowvet
