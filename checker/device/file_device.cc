#include "checker/device/file_device.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace cowvet {
namespace {

OpenError error_of(const std::string& path, int code) {
  return {fmt::format("{}: {}", path, describe_errno(code)), code};
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISCHR(mode)) return "a character device";
  return "not a regular file";
}

// Reads at most out.size() bytes; 0: end of file; -1: errno is set.
ssize_t read_some(int descriptor, std::uint64_t offset, std::span<std::byte> out) {
  ssize_t got;
  do {
    got = pread(descriptor, out.data(), out.size(), static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got;
}

// The first sector of [offset, offset + length) that cannot be read alone: a large read fails as a whole, and
// the error is to name the place.
IoError narrow_down(int descriptor, std::uint64_t offset, std::uint64_t length, int code) {
  constexpr std::uint64_t kSector = 512;
  std::byte sector[kSector];
  const std::uint64_t end = offset + length;
  for (std::uint64_t at = offset; at < end;) {
    const std::uint64_t part = std::min(end, (at / kSector + 1) * kSector) - at;
    if (read_some(descriptor, at, std::span(sector, part)) < 0) return {at, part, errno};
    at += part;
  }
  return {offset, length, code};  // it can be read now: the error was of the whole, or passing
}

}  // namespace

std::string describe_errno(int code) {
  return std::generic_category().message(code);
}

std::expected<std::unique_ptr<FileDevice>, OpenError> FileDevice::open(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer.
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  // O_NOATIME is for the owner only.
  int descriptor = ::open(path.c_str(), kFlags | O_NOATIME);
  if (descriptor < 0 && errno == EPERM) descriptor = ::open(path.c_str(), kFlags);
  if (descriptor < 0) return std::unexpected(error_of(path, errno));
  return adopt(descriptor, path);
}

std::expected<std::unique_ptr<FileDevice>, OpenError> FileDevice::adopt(int descriptor,
                                                                        const std::string& path) {
  std::unique_ptr<FileDevice> device(new FileDevice(descriptor, path));  // closes it from here on
  struct stat status{};
  if (fstat(descriptor, &status) != 0) return std::unexpected(error_of(path, errno));
  if (S_ISREG(status.st_mode)) {
    device->size_bytes_ = static_cast<std::uint64_t>(status.st_size);
    device->identity_ = {status.st_dev, status.st_ino};
  } else if (S_ISBLK(status.st_mode)) {
    if (ioctl(descriptor, BLKGETSIZE64, &device->size_bytes_) != 0)
      return std::unexpected(error_of(path, errno));
    // Two nodes of one device are one device; no file system has the device number 0.
    device->identity_ = {0, status.st_rdev};
    device->is_block_device_ = true;
  } else {
    return std::unexpected(
        OpenError{fmt::format("{} is {}: only regular files and block devices are examined", path,
                              kind_of(status.st_mode)),
                  0});
  }
  return device;
}

FileDevice::~FileDevice() {
  close(descriptor_);
}

std::expected<void, IoError> FileDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t there =
      offset < size_bytes_ ? std::min<std::uint64_t>(out.size(), size_bytes_ - offset) : 0;
  std::uint64_t done = 0;
  while (done < there) {
    const ssize_t got = read_some(descriptor_, offset + done, out.subspan(done, there - done));
    if (got < 0) return std::unexpected(narrow_down(descriptor_, offset + done, there - done, errno));
    if (got == 0) break;  // the file became shorter: what is gone reads as zeros
    done += static_cast<std::uint64_t>(got);
  }
  std::ranges::fill(out.subspan(done), std::byte{0});
  return {};
}

DataExtent FileDevice::next_data(std::uint64_t offset) const {
  if (offset >= size_bytes_) return {size_bytes_, size_bytes_};
  const off_t data = lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    // ENXIO: a hole up to the end. Anything else: this file or device does not know its holes.
    if (errno == ENXIO && !is_block_device_) return {size_bytes_, size_bytes_};
    return {offset, size_bytes_};
  }
  const off_t hole = lseek(descriptor_, data, SEEK_HOLE);
  const std::uint64_t begin = std::min(static_cast<std::uint64_t>(data), size_bytes_);
  if (hole < 0) return {begin, size_bytes_};
  return {begin, std::clamp(static_cast<std::uint64_t>(hole), begin, size_bytes_)};
}

}  // namespace cowvet
