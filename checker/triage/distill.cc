#include "checker/triage/distill.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <expected>
#include <filesystem>
#include <span>
#include <system_error>

#include "checker/device/descriptor.h"
#include "checker/device/file_device.h"
#include "checker/device/write_fully.h"

namespace cowvet {
namespace {

namespace fs = std::filesystem;

using Done = std::expected<void, std::string>;

std::unexpected<std::string> failure(const std::string& path, int code) {
  return std::unexpected(fmt::format("{}: {}", path, describe_errno(code)));
}

// Holes stay holes: the virtual size of a small image may be anything.
Done copy_data(const FileDevice& from, int to, const std::string& path) {
  std::vector<std::byte> buffer(1 << 16);
  DataExtent extent = from.next_data(0);
  for (std::uint64_t at = extent.begin; at < from.size_bytes();) {
    const std::span piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), extent.end - at));
    if (const auto read = from.read(at, piece); !read) return failure(from.name(), read.error().code);
    if (const auto written = write_fully(to, at, piece); !written) return failure(path, written.error().code);
    at += piece.size();
    if (at < extent.end) continue;
    extent = from.next_data(at);
    at = extent.begin;
  }
  if (ftruncate(to, static_cast<off_t>(from.size_bytes())) != 0) return failure(path, errno);
  return {};
}

Done copy_new(const std::string& from, const std::string& to) {
  const auto source = FileDevice::open(from);
  if (!source) return std::unexpected(source.error().message);
  const Descriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!target) return failure(to, errno);
  return copy_data(**source, target.get(), to);
}

}  // namespace

std::string prepare_directory(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  const bool empty = !error && fs::is_empty(directory, error);
  if (error) return fmt::format("{}: {}", directory, error.message());
  return empty ? "" : fmt::format("{} is not empty: images are distilled into a new directory", directory);
}

std::vector<std::string> distill(const Groups& groups, const std::string& directory) {
  std::vector<std::string> wrong;
  for (const Group& group : groups.sorted()) {
    const std::string name = fmt::format("{}-{:016x}.qcow2", to_string(group.outcome),
                                         XXH3_64bits(group.signature.data(), group.signature.size()));
    if (const Done copied = copy_new(group.smallest, fs::path(directory) / name); !copied)
      wrong.push_back("not distilled: " + copied.error());
  }
  return wrong;
}

}  // namespace cowvet
