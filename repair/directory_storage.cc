#include "repair/directory_storage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <utility>

#include "checker/device/file_device.h"
#include "checker/device/journal_name.h"
#include "checker/device/write_fully.h"

namespace cowvet {
namespace {

using Done = std::expected<void, IoError>;

std::unexpected<IoError> failure(int code, std::uint64_t offset = 0) {
  return std::unexpected(IoError{offset, 0, code});
}

Done done_if(int result) {
  if (result != 0) return failure(errno);
  return {};
}

std::string directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  return directory.empty() ? "." : directory;
}

// Moves each of `path`, `path`.1, ... up to the first that is not there to the next number, the last one
// first: whenever this is interrupted, all are still there.
Done make_room(const std::string& path) {
  const auto numbered = [&](int number) { return number == 0 ? path : fmt::format("{}.{}", path, number); };
  int end = 0;
  struct stat status{};
  while (lstat(numbered(end).c_str(), &status) == 0) ++end;
  for (int number = end; number > 0; --number)
    if (auto done = done_if(std::rename(numbered(number - 1).c_str(), numbered(number).c_str())); !done)
      return done;
  return {};
}

}  // namespace

Done sync_directory_of(const std::string& path) {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(errno);
  return done_if(fsync(directory.get()));
}

DirectoryStorage::DirectoryStorage(std::string journal_path, std::string undo_path, OlderUndo older,
                                   std::string pointer)
    : journal_path_(std::move(journal_path)),
      undo_path_(std::move(undo_path)),
      older_(older),
      pointer_(std::move(pointer)) {}

// On the medium before anything is written to the image, because the journal is not sealed yet.
void DirectoryStorage::write_pointer() const {
  if (pointer_.empty()) return;
  const Descriptor file(
      ::open(pointer_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!file) return;
  const std::string text = encode_journal_pointer(journal_path_);
  if (write_fully(file.get(), 0, std::as_bytes(std::span(text))) && fsync(file.get()) == 0)
    std::ignore = sync_directory_of(pointer_);
  else
    unlink(pointer_.c_str());
}

// Before the journal goes: the image is in no state between any more, and a name that leads nowhere would
// look like a journal that is lost.
void DirectoryStorage::remove_pointer() const {
  if (!pointer_.empty() && unlink(pointer_.c_str()) == 0) std::ignore = sync_directory_of(pointer_);
}

std::expected<std::unique_ptr<Device>, IoError> DirectoryStorage::open(JournalName name) const {
  const Descriptor directory(::open(directory_of(path_of(name)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return failure(errno);
  const std::string last = std::filesystem::path(path_of(name)).filename();
  auto file = FileDevice::open_in(directory.get(), last, path_of(name));  // no symbolic link
  if (file) return std::move(*file);
  if (file.error().code == ENOENT) return nullptr;
  if (file.error().code != 0) return failure(file.error().code);
  std::error_code unseen;
  return failure(std::filesystem::is_directory(path_of(name), unseen) ? EISDIR : EINVAL);
}

Done DirectoryStorage::create() {
  // Holds guest data: readable for nobody but the owner.
  file_ = Descriptor(::open(journal_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  end_ = 0;
  if (!file_) return failure(errno);
  write_pointer();
  return {};
}

Done DirectoryStorage::reopen(std::uint64_t size_bytes) {
  file_ = Descriptor(::open(journal_path_.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file_) return failure(errno);
  end_ = size_bytes;
  return done_if(ftruncate(file_.get(), static_cast<off_t>(size_bytes)));
}

Done DirectoryStorage::append(std::span<const std::byte> bytes) {
  if (const auto written = write_fully(file_.get(), end_, bytes); !written)
    return failure(written.error().code, written.error().offset);
  end_ += bytes.size();
  return {};
}

Done DirectoryStorage::sync() {
  return done_if(fsync(file_.get()));
}

Done DirectoryStorage::rename_to_undo() {
  remove_pointer();
  if (older_ == OlderUndo::kept)
    if (auto done = make_room(undo_path_); !done) return done;
  return done_if(std::rename(journal_path_.c_str(), undo_path_.c_str()));
}

Done DirectoryStorage::remove() {
  remove_pointer();
  return done_if(unlink(journal_path_.c_str()));
}

Done DirectoryStorage::sync_directory() {
  if (auto done = sync_directory_of(journal_path_); !done) return done;
  if (directory_of(undo_path_) == directory_of(journal_path_)) return {};
  return sync_directory_of(undo_path_);
}

// "01234567-89ab-..." as 16 bytes. Where the kernel does not say, a value that is never the same twice: then
// the machine is taken to have gone down.
JournalStorage::BootId DirectoryStorage::boot_id() const {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string digits;
  std::copy_if(std::istreambuf_iterator<char>(file), {}, std::back_inserter(digits),
               [](unsigned char c) { return std::isxdigit(c) != 0; });
  BootId id{};
  if (digits.size() != 2 * id.size()) {
    std::random_device source;
    std::ranges::generate(id, [&] { return static_cast<std::byte>(source()); });
    return id;
  }
  for (std::size_t i = 0; i < id.size(); ++i)
    id[i] = static_cast<std::byte>(std::stoi(digits.substr(2 * i, 2), nullptr, 16));
  return id;
}

}  // namespace cowvet
