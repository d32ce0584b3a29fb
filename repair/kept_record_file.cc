#include "repair/kept_record_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <span>

#include "checker/device/descriptor.h"
#include "checker/device/write_fully.h"
#include "checker/planning/kept_record.h"
#include "repair/directory_storage.h"

namespace cowvet {
namespace {

using Done = std::expected<void, IoError>;

Done done_if(bool is_done) {
  if (!is_done) return std::unexpected(IoError{0, 0, errno});
  return {};
}

}  // namespace

Done write_kept_record(const std::string& path, const std::vector<KeptRun>& runs) {
  if (runs.empty()) return done_if(unlink(path.c_str()) == 0 || errno == ENOENT);
  const std::string fresh = path + ".new";
  unlink(fresh.c_str());  // of a run that was killed
  const Descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (auto opened = done_if(static_cast<bool>(file)); !opened) return opened;
  const std::string text = encode_kept_record(runs);
  Done done = write_fully(file.get(), 0, std::as_bytes(std::span(text)));
  if (done) done = done_if(fsync(file.get()) == 0);
  if (done) done = done_if(std::rename(fresh.c_str(), path.c_str()) == 0);
  if (!done) unlink(fresh.c_str());
  return done ? sync_directory_of(path) : done;
}

}  // namespace cowvet
