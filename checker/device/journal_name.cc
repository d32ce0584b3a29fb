#include "checker/device/journal_name.h"

#include <sys/stat.h>

#include <filesystem>

namespace cowvet {
namespace {

constexpr const char* kJournalSuffix = ".cowvet-journal";

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

bool has_unfinished_journal(const std::string& image_path) {
  struct stat status{};
  return lstat(quickly_beside(image_path, kJournalSuffix).c_str(), &status) == 0;
}

}  // namespace cowvet
