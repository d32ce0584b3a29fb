#include "checker/cli/input_file.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "checker/device/file_device.h"

namespace cowvet {

std::expected<std::ifstream, std::string> open_input(const std::string& path, std::string_view what) {
  std::error_code unseen;
  int why = EISDIR;
  if (!std::filesystem::is_directory(path, unseen)) {
    errno = 0;
    std::ifstream opened(path, std::ios::binary);
    if (opened) return opened;
    why = errno;
  }
  return std::unexpected(fmt::format("{} '{}' cannot be read: {}", what, path, describe_errno(why)));
}

}  // namespace cowvet
