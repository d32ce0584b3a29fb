#include "repair/cli/image_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "checker/analysis/bytes.h"
#include "checker/device/file_device.h"
#include "checker/device/write_fully.h"
#include "repair/changes.h"
#include "repair/directory_storage.h"

namespace cowvet {
namespace {

using Done = std::expected<void, std::string>;

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;

std::unexpected<std::string> failed(const std::string& path, int code = errno) {
  return std::unexpected(fmt::format("{}: {}", path, describe_errno(code)));
}

// Who may read the original may read the copy, and nobody else.
mode_t mode_of(const Device& original) {
  const auto* file = dynamic_cast<const FileDevice*>(&original);
  struct stat status{};
  if (file == nullptr || fstat(file->descriptor(), &status) != 0 || !S_ISREG(status.st_mode)) return 0600;
  return status.st_mode & 0666;
}

bool share_blocks(const Device& original, int copy) {
  const auto* file = dynamic_cast<const FileDevice*>(&original);
  return file != nullptr && ioctl(copy, FICLONE, file->descriptor()) == 0;
}

Done copy_content(const Device& original, int copy, const std::string& path,
                  const std::function<bool()>& stop) {
  if (share_blocks(original, copy)) return {};
  const std::uint64_t size = original.size_bytes();
  if (ftruncate(copy, static_cast<off_t>(size)) != 0) return failed(path);
  std::vector<std::byte> piece;
  for (DataExtent data = original.next_data(0); data.begin < size; data = original.next_data(data.begin)) {
    if (stop()) return std::unexpected("interrupted");
    piece.resize(std::min(kPieceBytes, data.end - data.begin));
    if (auto read = original.read(data.begin, piece); !read)
      return std::unexpected(describe_io_error("read", original.name(), read.error()));
    if (leading_zeros(piece) != piece.size())
      if (const auto written = write_fully(copy, data.begin, piece); !written)
        return failed(path, written.error().code);
    data.begin += piece.size();
  }
  return {};
}

}  // namespace

std::expected<std::unique_ptr<ImageCopy>, std::string> ImageCopy::make(const Device& original,
                                                                       const std::string& new_path,
                                                                       const std::function<bool()>& stop) {
  const std::string path = new_path + ".cowvet-partial";
  const Descriptor file(
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_of(original)));
  if (!file && errno == EEXIST)
    return std::unexpected(
        fmt::format("{} is there: a copy that was interrupted; remove it if it is not under way", path));
  if (!file) return failed(path);
  std::unique_ptr<ImageCopy> copy(new ImageCopy(path, new_path));
  if (auto done = copy_content(original, file.get(), path, stop); !done) return std::unexpected(done.error());
  if (fsync(file.get()) != 0) return failed(path);
  return copy;
}

ImageCopy::~ImageCopy() {
  if (!is_published_) unlink(path_.c_str());
}

std::expected<void, std::string> ImageCopy::publish() {
  if (renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, new_path_.c_str(), RENAME_NOREPLACE) != 0) {
    // A file system that does not know the flag: a second name never replaces anything either.
    if (errno != EINVAL || link(path_.c_str(), new_path_.c_str()) != 0) return failed(new_path_);
    unlink(path_.c_str());
  }
  is_published_ = true;
  if (const auto synced = sync_directory_of(new_path_); !synced)
    return failed(new_path_, synced.error().code);
  return {};
}

}  // namespace cowvet
