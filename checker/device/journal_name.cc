#include "checker/device/journal_name.h"

#include <sys/stat.h>

#include <filesystem>

namespace cowvet {
namespace {

std::string beside(const std::string& image_path, const char* suffix) {
  std::error_code missing;
  const std::filesystem::path real = std::filesystem::canonical(image_path, missing);
  return (missing ? image_path : real.string()) + suffix;
}

}  // namespace

std::string journal_path_of(const std::string& image_path) {
  return beside(image_path, ".cowvet-journal");
}

std::string undo_path_of(const std::string& image_path) {
  return beside(image_path, ".cowvet-undo");
}

bool has_unfinished_journal(const std::string& image_path) {
  struct stat status{};
  return lstat(journal_path_of(image_path).c_str(), &status) == 0;
}

}  // namespace cowvet
