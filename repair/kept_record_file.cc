#include "repair/kept_record_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "checker/device/descriptor.h"
#include "checker/planning/kept_record.h"

namespace cowvet {
namespace {

using Done = std::expected<void, IoError>;

Done done_if(bool is_done) {
  if (!is_done) return std::unexpected(IoError{0, 0, errno});
  return {};
}

Done write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(file, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return std::unexpected(IoError{0, 0, put < 0 ? errno : ENOSPC});
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  return done_if(fsync(file) == 0);
}

Done sync_directory_of(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const Descriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return done_if(directory && fsync(directory.get()) == 0);
}

}  // namespace

Done write_kept_record(const std::string& path, const std::vector<KeptRun>& runs) {
  if (runs.empty()) return done_if(unlink(path.c_str()) == 0 || errno == ENOENT);
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());  // of a run that was killed
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (auto opened = done_if(static_cast<bool>(file)); !opened) return opened;
  Done done = write_all(file.get(), encode_kept_record(runs));
  if (done) done = done_if(std::rename(fresh.c_str(), path.c_str()) == 0);
  if (!done) unlink(fresh.c_str());
  return done ? sync_directory_of(path) : done;
}

}  // namespace cowvet
