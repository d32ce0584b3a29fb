#include "checker/triage/image_source.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <memory>
#include <system_error>
#include <utility>

namespace cowvet {

namespace fs = std::filesystem;

bool Shard::has(std::string_view name) const {
  return count == 1 || XXH3_64bits(name.data(), name.size()) % count == index - 1;
}

std::optional<Shard> parse_shard(std::string_view text) {
  Shard shard;
  const char* const begin = std::to_address(text.begin());
  const char* const end = begin + text.size();
  const auto [slash, error] = std::from_chars(begin, end, shard.index);
  if (error != std::errc() || slash == end || *slash != '/') return std::nullopt;
  const auto [rest, count_error] = std::from_chars(slash + 1, end, shard.count);
  if (count_error != std::errc() || rest != end) return std::nullopt;
  if (shard.index < 1 || shard.index > shard.count) return std::nullopt;
  return shard;
}

CorpusWalk::CorpusWalk(std::vector<std::string> paths, Shard shard, Complain complain)
    : paths_(std::move(paths)), shard_(shard), complain_(std::move(complain)) {}

std::optional<std::string> CorpusWalk::next() {
  for (;;) {
    if (auto image = next_in_directories()) return image;
    if (next_path_ == paths_.size()) return std::nullopt;
    const std::string& path = paths_[next_path_++];
    std::error_code ignored;  // what cannot be looked at is said of it as an image
    if (fs::is_directory(path, ignored)) {
      root_ = path.ends_with('/') ? path : path + '/';
      enter(root_);
    } else if (shard_.has(fs::path(path).filename().native())) {
      return path;
    }
  }
}

std::optional<std::string> CorpusWalk::next_in_directories() {
  while (!open_.empty()) {
    fs::directory_iterator& directory = open_.back();
    if (directory == fs::directory_iterator()) {
      open_.pop_back();
      continue;
    }
    std::error_code error;
    std::string path = directory->path().native();
    const fs::file_type type = directory->symlink_status(error).type();
    if (error) complain(path, error);
    directory.increment(error);
    if (error) complain(fs::path(path).parent_path(), error);
    if (type == fs::file_type::directory) enter(path);
    // By the name below the root, which may be mounted elsewhere on another machine.
    if (type == fs::file_type::regular && shard_.has(std::string_view(path).substr(root_.size())))
      return path;
  }
  return std::nullopt;
}

void CorpusWalk::enter(const std::string& path) {
  std::error_code error;
  fs::directory_iterator directory(path, error);
  if (error) return complain(path, error);
  open_.push_back(std::move(directory));
}

void CorpusWalk::complain(const std::string& path, const std::error_code& error) const {
  complain_(fmt::format("{}: {}; not all of it was looked at", path, error.message()));
}

}  // namespace cowvet
