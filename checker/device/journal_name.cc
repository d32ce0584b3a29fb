#include "checker/device/journal_name.h"

#include <sys/stat.h>

#include <filesystem>

namespace cowvet {
namespace {

constexpr const char* kJournalSuffix = ".cowvet-journal";
constexpr const char* kKeptSuffix = ".cowvet-kept";

std::string beside(const std::string& image_path, const char* suffix) {
  std::error_code missing;
  const std::filesystem::path real = std::filesystem::canonical(image_path, missing);
  return (missing ? image_path : real.string()) + suffix;
}

// The real name is only looked for where it matters: that takes longer than examining a small image.
bool is_link(const std::string& image_path) {
  struct stat status{};
  return lstat(image_path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

std::string journal_path_of(const std::string& image_path) {
  return beside(image_path, kJournalSuffix);
}

std::string undo_path_of(const std::string& image_path) {
  return beside(image_path, ".cowvet-undo");
}

std::string kept_path_of(const std::string& image_path) {
  return is_link(image_path) ? beside(image_path, kKeptSuffix) : image_path + kKeptSuffix;
}

bool has_unfinished_journal(const std::string& image_path) {
  const std::string journal = is_link(image_path) ? journal_path_of(image_path) : image_path + kJournalSuffix;
  struct stat status{};
  return lstat(journal.c_str(), &status) == 0;
}

}  // namespace cowvet
