#include "checker/cli/new_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ext/stdio_filebuf.h>
#include <utility>

#include "checker/device/file_device.h"

namespace cowvet {
namespace {

// Only if it is still the file that was made.
void remove_file(int file, const char* path) {
  struct stat made{};
  struct stat there{};
  if (file >= 0 && fstat(file, &made) == 0 && lstat(path, &there) == 0 && made.st_dev == there.st_dev &&
      made.st_ino == there.st_ino)
    unlink(path);
}

// What ends the program by a signal from the keyboard must not end the keeper first.
[[noreturn]] void keep_or_remove(int program, int file, const char* path) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) std::signal(signal, SIG_IGN);
  char kept = 0;
  ssize_t bytes = 0;
  do {
    bytes = read(program, &kept, 1);
  } while (bytes < 0 && errno == EINTR);
  if (bytes != 1) remove_file(file, path);
  _exit(0);
}

}  // namespace

std::expected<NewFile, std::string> NewFile::make(const std::string& path, std::string what) {
  NewFile made;
  made.path_ = path;
  made.what_ = std::move(what);
  made.file_ = Descriptor(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!made.file_)
    return std::unexpected(fmt::format("{} cannot be written to {}: {}", made.what_, path,
                                       errno == EEXIST ? "it must be a new file" : describe_errno(errno)));
  if (!made.start_keeper()) {
    const std::string why = describe_errno(errno);
    unlink(path.c_str());
    return std::unexpected(fmt::format("{} cannot be written to {}: {}", made.what_, path, why));
  }
  made.buffer_ = std::make_unique<__gnu_cxx::stdio_filebuf<char>>(dup(made.file_.get()),
                                                                  std::ios::out | std::ios::binary, 1 << 16);
  made.stream_ = std::make_unique<std::ostream>(made.buffer_.get());
  return made;
}

bool NewFile::start_keeper() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  const Descriptor theirs(ends[0]);
  keeper_ = Descriptor(ends[1]);
  keeper_process_ = fork();
  if (keeper_process_ != 0) return keeper_process_ > 0;
  // Nothing else stays open in the keeper: others may wait for its end.
  const int program = dup2(theirs.get(), STDIN_FILENO);
  const int file = dup2(file_.get(), STDOUT_FILENO);
  close_range(STDERR_FILENO, ~0u, 0);
  keep_or_remove(program, file, path_.c_str());
}

std::string NewFile::keep() {
  stream_->flush();
  if (!*stream_) return fmt::format("{} could not be written to {} in full", what_, path_);
  if (write(keeper_.get(), "k", 1) != 1)
    return fmt::format("{} may be gone from {}: {}", what_, path_, describe_errno(errno));
  return "";
}

NewFile::~NewFile() {
  if (keeper_process_ < 0 || !keeper_) return;  // moved from
  keeper_ = Descriptor();
  while (waitpid(keeper_process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace cowvet
