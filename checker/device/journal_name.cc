#include "checker/device/journal_name.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <filesystem>
#include <string_view>

#include "checker/device/descriptor.h"

namespace cowvet {
namespace {

constexpr const char* kJournalSuffix = ".cowvet-journal";
constexpr std::string_view kPointer = "cowvet-journal-at ";

std::string beside(const std::string& image_path, const char* suffix) {
  std::error_code missing;
  const std::filesystem::path real = std::filesystem::canonical(image_path, missing);
  return (missing ? image_path : real.string()) + suffix;
}

// The real name is only looked for where it matters: that takes longer than examining a small image.
std::string quickly_beside(const std::string& image_path, const char* suffix) {
  struct stat status{};
  const bool is_link = lstat(image_path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  return is_link ? beside(image_path, suffix) : image_path + suffix;
}

}  // namespace

std::string journal_path_of(const std::string& image_path) {
  return beside(image_path, kJournalSuffix);
}

std::string undo_path_of(const std::string& image_path) {
  return beside(image_path, ".cowvet-undo");
}

std::string kept_path_of(const std::string& image_path) {
  return quickly_beside(image_path, ".cowvet-kept");
}

std::string kept_path_beside(const std::string& journal_path) {
  return journal_path + ".kept";
}

std::string encode_journal_pointer(const std::string& journal_path) {
  return std::string(kPointer) + std::filesystem::absolute(journal_path).string() + '\n';
}

std::optional<std::string> journal_elsewhere(const std::string& image_path) {
  constexpr std::size_t kMostBytes = kPointer.size() + PATH_MAX + 1;
  const std::string path = quickly_beside(image_path, kJournalSuffix);
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file || fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  std::string text(kMostBytes, '\0');
  const ssize_t length = pread(file.get(), text.data(), text.size(), 0);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
  if (!text.starts_with(kPointer) || !text.ends_with('\n')) return std::nullopt;
  return text.substr(kPointer.size(), text.size() - kPointer.size() - 1);
}

std::string unfinished_journal_of(const std::string& image_path) {
  return journal_elsewhere(image_path).value_or(journal_path_of(image_path));
}

bool has_unfinished_journal(const std::string& image_path) {
  struct stat status{};
  return lstat(quickly_beside(image_path, kJournalSuffix).c_str(), &status) == 0;
}

std::string find_unfinished_journal(const std::string& image_path, const std::string& journal_path) {
  std::error_code unseen;
  if (!journal_path.empty() && std::filesystem::exists(journal_path, unseen)) return journal_path;
  return has_unfinished_journal(image_path) ? unfinished_journal_of(image_path) : "";
}

}  // namespace cowvet
