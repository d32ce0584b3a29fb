#include "corpus/output_files.h"

#include <algorithm>
#include <fstream>

namespace cowvet::corpus {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlockBytes = 4096;

bool is_plain_name(const std::string& name) {
  return !name.empty() && name.size() < 256 && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/:\0", 3)) == std::string::npos;
}

}  // namespace

std::expected<void, std::string> write_sparse(const fs::path& path, std::span<const std::byte> bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  for (std::size_t at = 0; at < bytes.size(); at += kBlockBytes) {
    const auto block = bytes.subspan(at, std::min(kBlockBytes, bytes.size() - at));
    if (std::ranges::all_of(block, [](std::byte b) { return b == std::byte{0}; })) continue;
    out.seekp(static_cast<std::streamoff>(at));
    out.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(block.size()));
  }
  out.close();
  std::error_code problem;
  if (out) fs::resize_file(path, bytes.size(), problem);
  if (!out || problem) return std::unexpected(path.string() + ": cannot be written");
  return {};
}

std::expected<std::vector<fs::path>, std::string> write_files(const Recipe& recipe, const BuiltImage& built,
                                                              const fs::path& directory) {
  const fs::path image = directory / (recipe.name + ".qcow2");
  std::error_code problem;
  fs::create_directories(image.parent_path(), problem);
  std::vector<fs::path> written;
  const auto write = [&written](const fs::path& path, std::span<const std::byte> bytes) {
    written.push_back(path);
    return write_sparse(path, bytes);
  };
  auto result = write(image, built.image);
  const bool has_data = built.data_file && recipe.data_file->found == DataFile::Found::yes;
  if (result && has_data && is_plain_name(recipe.data_file_name()))
    result = write(image.parent_path() / recipe.data_file_name(), *built.data_file);
  if (result && built.backing_file && is_plain_name(recipe.backing->name))
    result = write(image.parent_path() / recipe.backing->name, *built.backing_file);
  if (!result) return std::unexpected(result.error());
  return written;
}

}  // namespace cowvet::corpus
