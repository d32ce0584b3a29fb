// The images of a corpus, found as they are asked for: nothing is remembered of those found before.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace cowvet {

// Part `index` of `count`, counted from 1.
struct Shard {
  std::uint64_t index = 1;
  std::uint64_t count = 1;

  // Whether the image belongs to this part. Each name belongs to exactly one part, on any machine.
  bool has(std::string_view name) const;
};

// "2/16". Nothing: no shard.
std::optional<Shard> parse_shard(std::string_view text);

class CorpusWalk {
 public:
  using Complain = std::function<void(std::string message)>;

  // `paths`: images, whatever they are, and directories, of which every regular file is one, at any depth;
  // symbolic links in them are not followed. `complain` hears of directories that cannot be read.
  CorpusWalk(std::vector<std::string> paths, Shard shard, Complain complain);

  // Nothing: there are no more. The order is that of the directories.
  std::optional<std::string> next();

 private:
  std::optional<std::string> next_in_directories();
  void enter(const std::string& path);
  void complain(const std::string& path, const std::error_code& error) const;

  std::vector<std::string> paths_;
  std::size_t next_path_ = 0;
  Shard shard_;
  Complain complain_;
  std::string root_;                                       // of paths_, the one that is walked
  std::vector<std::filesystem::directory_iterator> open_;  // each in the one before
};

}  // namespace cowvet
