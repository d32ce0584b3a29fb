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

#include "checker/device/read_fully.h"

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
  return "no regular file";
}

OpenError refusal_of(const std::string& path, mode_t mode) {
  if (S_ISLNK(mode)) return error_of(path, ELOOP);
  return {fmt::format("{} is {}: only regular files and block devices are examined", path, kind_of(mode)), 0};
}

// O_NOATIME is for the owner of a file only. O_NONBLOCK: a drive without a medium is not waited for.
Descriptor open_for_reading(int directory, const std::string& name, int flags) {
  flags |= O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  Descriptor descriptor(openat(directory, name.c_str(), flags | O_NOATIME));
  if (!descriptor && errno == EPERM) descriptor = Descriptor(openat(directory, name.c_str(), flags));
  return descriptor;
}

bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

std::string describe_errno(int code) {
  return std::generic_category().message(code);
}

FileDevice::Opened FileDevice::open(const std::string& path) {
  return open_at(AT_FDCWD, path, 0, path);
}

FileDevice::Opened FileDevice::open_in(int directory, const std::string& name, const std::string& path) {
  return open_at(directory, name, O_NOFOLLOW, path);
}

// Opening alone can do something: wake the writer of a FIFO, arm a watchdog, rewind a tape. So the name is
// looked up first, and what it stands for is opened when it is known to be harmless.
FileDevice::Opened FileDevice::open_at(int directory, const std::string& name, int flags,
                                       const std::string& path) {
  // Most likely a variable of a script that was not set.
  if (name.empty())
    return std::unexpected(OpenError{.message = "an empty name names no file", .code = ENOENT});
  const Descriptor found(openat(directory, name.c_str(), O_PATH | O_CLOEXEC | flags));
  if (!found) return std::unexpected(error_of(path, errno));
  struct stat looked_up{};
  if (fstat(found.get(), &looked_up) != 0) return std::unexpected(error_of(path, errno));
  if (!S_ISREG(looked_up.st_mode) && !S_ISBLK(looked_up.st_mode))
    return std::unexpected(refusal_of(path, looked_up.st_mode));

  Descriptor opened = open_for_reading(AT_FDCWD, fmt::format("/proc/self/fd/{}", found.get()), 0);
  // Without /proc, by name again: then it may be another file by now.
  if (!opened && (errno == ENOENT || errno == ENOTDIR)) opened = open_for_reading(directory, name, flags);
  if (!opened) return std::unexpected(error_of(path, errno));
  struct stat status{};
  if (fstat(opened.get(), &status) != 0) return std::unexpected(error_of(path, errno));
  if (!is_same_file(looked_up, status)) return std::unexpected(error_of(path, ESTALE));

  std::unique_ptr<FileDevice> device(new FileDevice(std::move(opened), path));
  device->is_block_device_ = S_ISBLK(status.st_mode);
  // Two nodes of one device are one device; no file system has the device number 0.
  device->identity_ =
      device->is_block_device_ ? FileIdentity{0, status.st_rdev} : FileIdentity{status.st_dev, status.st_ino};
  if (const int code = device->find_size(); code != 0) return std::unexpected(error_of(path, code));
  return device;
}

int FileDevice::find_size() {
  if (is_block_device_) return ioctl(descriptor(), BLKGETSIZE64, &size_bytes_) == 0 ? 0 : errno;
  struct stat status{};
  if (fstat(descriptor(), &status) != 0) return errno;
  size_bytes_ = static_cast<std::uint64_t>(status.st_size);
  return 0;
}

int FileDevice::refresh() {
  forget_holes();
  return find_size();
}

bool FileDevice::keeps_access_time() const {
  const int flags = fcntl(descriptor(), F_GETFL);
  return flags >= 0 && (flags & O_NOATIME) != 0;
}

std::expected<void, IoError> FileDevice::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::uint64_t behind = offset < size_bytes_ ? size_bytes_ - offset : 0;
  const auto there = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), behind));
  const auto read_at = [this](std::uint64_t at, std::span<std::byte> bytes) {
    return pread(descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(at));
  };
  const auto done = read_fully(read_at, offset, out.first(there));
  if (!done) return std::unexpected(done.error());
  std::ranges::fill(out.subspan(*done), std::byte{0});  // also where the file became shorter meanwhile
  return {};
}

DataExtent FileDevice::next_data(std::uint64_t offset) const {
  if (offset >= size_bytes_) return {size_bytes_, size_bytes_};
  const std::scoped_lock lock(mutex_);
  // A file system may have to look at every extent between here and the next hole: ask once for each stretch.
  if (offset < asked_ || offset >= data_.end) {
    data_ = seek_data(offset);
    asked_ = offset;
  }
  return {std::max(offset, data_.begin), data_.end};
}

void FileDevice::forget_holes() {
  const std::scoped_lock lock(mutex_);
  asked_ = 0;
  data_ = {};
}

DataExtent FileDevice::seek_data(std::uint64_t offset) const {
  const off_t data = lseek(descriptor(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    // ENXIO: a hole up to the end. Anything else: this file or device does not know its holes.
    if (errno == ENXIO && !is_block_device_) return {size_bytes_, size_bytes_};
    return {offset, size_bytes_};
  }
  const off_t hole = lseek(descriptor(), data, SEEK_HOLE);
  const std::uint64_t begin = std::clamp(static_cast<std::uint64_t>(data), offset, size_bytes_);
  const std::uint64_t end = hole < 0 ? size_bytes_ : std::min(static_cast<std::uint64_t>(hole), size_bytes_);
  // An extent must lead on, even in a file that is being changed.
  return {begin, begin < end ? end : size_bytes_};
}

}  // namespace cowvet
