#include "tests/repair/guest_content.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>

#include "tests/support/run_command.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kSectorBytes = 512;
// QEMU tells of every sector that it cannot read: of larger disks that is too much.
constexpr std::uint64_t kMostSalvagedBytes = std::uint64_t{256} << 20;

class RawFile {
 public:
  explicit RawFile(const std::filesystem::path& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() { close(fd_); }

  std::uint64_t size_bytes() const { return static_cast<std::uint64_t>(lseek(fd_, 0, SEEK_END)); }

  void read(std::uint64_t offset, std::span<std::byte> out) const {
    const ssize_t got = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    std::ranges::fill(out.subspan(static_cast<std::size_t>(std::max<ssize_t>(got, 0))), std::byte{0});
  }

  std::vector<GuestRange> data() const {
    std::vector<GuestRange> ranges;
    for (off_t begin = lseek(fd_, 0, SEEK_DATA); begin >= 0;) {
      const off_t end = lseek(fd_, begin, SEEK_HOLE);
      ranges.push_back({static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end - begin)});
      begin = lseek(fd_, end, SEEK_DATA);
    }
    return ranges;
  }

 private:
  int fd_;
};

// "... error while reading [block status at ]offset N: ..." of each sector that could not be read.
Sectors unreadable_sectors(const std::string& messages) {
  constexpr std::string_view kBefore = "offset ";
  Sectors sectors;
  for (std::size_t at = messages.find("error while reading"); at != std::string::npos;
       at = messages.find("error while reading", at + 1)) {
    const char* number = messages.data() + messages.find(kBefore, at) + kBefore.size();
    std::uint64_t offset = 0;
    std::from_chars(number, messages.data() + messages.size(), offset);
    sectors.insert(offset);
  }
  return sectors;
}

}  // namespace

std::string describe(const Sectors& sectors) {
  constexpr int kMost = 8;
  std::string text;
  int ranges = 0;
  for (auto at = sectors.begin(); at != sectors.end() && ranges < kMost; ++ranges) {
    const std::uint64_t begin = *at;
    std::uint64_t end = begin;
    for (; at != sectors.end() && *at == end; ++at) end += kSectorBytes;
    text += fmt::format("{:#x}-{:#x} ", begin, end);
  }
  return text;
}

GuestContent content_of(const corpus::GuestDisk& disk, std::uint64_t size_bytes,
                        std::uint64_t backing_bytes) {
  const auto read = [&disk, size_bytes](std::uint64_t offset, std::span<std::byte> out) {
    const std::uint64_t there =
        std::min<std::uint64_t>(size_bytes - std::min(size_bytes, offset), out.size());
    disk.read(offset, out.first(there));
    std::ranges::fill(out.subspan(there), std::byte{0});
  };
  GuestContent content{.read = read, .size_bytes = size_bytes};
  for (const std::uint64_t unit : disk.written_units()) content.data.push_back({unit, disk.unit_bytes()});
  if (backing_bytes != 0) content.data.push_back({0, backing_bytes});
  return content;
}

QemuContent read_by_qemu(const std::filesystem::path& directory, const std::string& qemu_name,
                         const std::string& snapshot_id, const std::string& raw, std::uint64_t size_bytes) {
  const bool salvage = size_bytes <= kMostSalvagedBytes;
  const std::string words = fmt::format(
      "qemu-img convert --object secret,id=key,data=any {} -O raw {} {} {}", salvage ? "--salvage" : "",
      snapshot_id.empty() ? "" : "-l snapshot.id=" + shell_quote(snapshot_id), shell_quote(qemu_name),
      shell_quote(raw));
  const CommandResult result = run_script("rm -f " + shell_quote(raw) + "\n" + words, directory);
  const auto file = std::make_shared<RawFile>(directory / raw);
  QemuContent found{.content = {}, .message = result.err};
  if (result.status == 0) {
    found.content = {
        .read = [file](std::uint64_t offset, std::span<std::byte> out) { file->read(offset, out); },
        .data = file->data(),
        .size_bytes = file->size_bytes(),
        .unreadable = unreadable_sectors(result.err)};
  } else {
    found.content.is_unreadable = true;
    found.content.read = [](std::uint64_t, std::span<std::byte> out) {
      std::ranges::fill(out, std::byte{0});
    };
  }
  return found;
}

Sectors differences(const GuestContent& one, const GuestContent& other) {
  constexpr std::uint64_t kPiece = 1 << 16;
  const std::uint64_t size = std::max(one.size_bytes, other.size_bytes);
  Sectors found;
  std::vector<GuestRange> candidates = one.data;
  candidates.insert(candidates.end(), other.data.begin(), other.data.end());
  std::vector<std::byte> left(kPiece), right(kPiece);
  for (const GuestRange& range : candidates) {
    const std::uint64_t end = std::min(range.offset + range.length, size);
    for (std::uint64_t at = range.offset / kSectorBytes * kSectorBytes; at < end; at += kPiece) {
      const auto length = std::min(kPiece, end - at);
      one.read(at, std::span(left).first(length));
      other.read(at, std::span(right).first(length));
      for (std::uint64_t i = 0; i < length; i += kSectorBytes)
        if (std::memcmp(&left[i], &right[i], std::min(kSectorBytes, length - i)) != 0) found.insert(at + i);
    }
  }
  return found;
}

}  // namespace cowvet
