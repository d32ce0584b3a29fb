#include "checker/triage/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <vector>

#include "checker/cli/input_file.h"
#include "checker/triage/image_source.h"

namespace cowvet {
namespace {

using Json = nlohmann::json;

struct End {
  std::uint64_t images = 0;
  Shard shard;
  bool complete = false;
};

std::optional<End> parse_end(const Json& line) {
  try {
    const auto shard = parse_shard(line.at("shard").get<std::string>());
    if (!shard) return std::nullopt;
    return End{line.at("images").get<std::uint64_t>(), *shard, line.at("complete").get<bool>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

class Merger {
 public:
  explicit Merger(Groups& groups) : groups_(groups) {}

  void read(const std::string& file) {
    auto opened = open_input(file, "the triage");
    if (!opened) return wrong_.push_back(std::move(opened.error()));
    std::ifstream& lines = *opened;
    std::string line;
    std::optional<End> end;
    std::uint64_t images = 0;
    for (std::uint64_t number = 1; std::getline(lines, line); ++number) {
      const Json json = Json::parse(line, nullptr, false);
      const std::string type = json.is_object() ? json.value("type", Json()).dump() : "";
      const auto result = parse_result(json);
      if (result) {
        groups_.add(*result);
        ++images;
      } else if (type == "\"end\"" && (end = parse_end(json))) {
        note_end(file, *end, images);
        images = 0;
      } else if (type != "\"group\"") {
        complain("{}: line {} is not of a triage", file, number);
      }
    }
    if (!lines.eof() || lines.bad())
      complain("{}: it cannot be read to its end", file);
    else if (!end || images != 0)
      complain("{}: the run was cut off: its last line is missing", file);
  }

  std::vector<std::string> finish() {
    for (const auto& [count, seen] : shards_) {
      std::uint64_t missing = 0;
      for (std::uint64_t index = 1; index <= count && missing == 0; ++index)
        if (!std::ranges::binary_search(seen, index)) missing = index;
      if (missing != 0)
        complain("{} of {} shards are there; the first that is missing is {}", seen.size(), count, missing);
    }
    return std::move(wrong_);
  }

 private:
  template <typename... Parts>
  void complain(fmt::format_string<Parts...> format, Parts&&... parts) {
    wrong_.push_back(fmt::format(format, std::forward<Parts>(parts)...));
  }

  // `images` since the last end: the lines of several runs may stand in one file.
  void note_end(const std::string& file, const End& end, std::uint64_t images) {
    if (images != end.images) complain("{}: {} images of {} are there", file, images, end.images);
    if (!end.complete) complain("{}: the run did not look at all of its images", file);
    if (end.shard.count == 1) return;
    std::vector<std::uint64_t>& seen = shards_[end.shard.count];
    const auto at = std::ranges::lower_bound(seen, end.shard.index);
    if (at != seen.end() && *at == end.shard.index)
      complain("{}: shard {}/{} is there twice", file, end.shard.index, end.shard.count);
    else
      seen.insert(at, end.shard.index);
  }

  Groups& groups_;
  std::vector<std::string> wrong_;
  std::map<std::uint64_t, std::vector<std::uint64_t>> shards_;  // by their number, in order
};

}  // namespace

std::vector<std::string> merge_lines(const std::vector<std::string>& files, Groups& groups) {
  Merger merger(groups);
  for (const std::string& file : files) merger.read(file);
  return merger.finish();
}

}  // namespace cowvet
