#include "checker/planning/kept_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "checker/device/file_device.h"
#include "checker/device/journal_name.h"

namespace cowvet {
namespace {

constexpr std::string_view kFirstLine = "cowvet-kept 1\n";
constexpr std::uint64_t kMostRecordBytes = std::uint64_t{64} << 20;

// The number that `line` begins with, and the blank behind it, if any.
bool take_number(std::string_view& line, int base, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  if (error != std::errc()) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.starts_with(' ')) line.remove_prefix(1);
  return true;
}

std::string last_line_of(std::string_view lines) {
  return fmt::format("end {:x}\n", XXH3_64bits(lines.data(), lines.size()));
}

}  // namespace

std::string encode_kept_record(const std::vector<KeptRun>& runs) {
  std::string text(kFirstLine);
  for (const KeptRun& run : runs) text += fmt::format("{} {} {:x}\n", run.offset, run.length, run.hash);
  return text + last_line_of(text);
}

std::expected<std::vector<KeptRun>, std::string> decode_kept_record(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return std::unexpected("it does not begin as a record does");
  const std::size_t end_of_lines = text.rfind("end ");
  if (end_of_lines == std::string_view::npos || end_of_lines < kFirstLine.size() ||
      text.substr(end_of_lines) != last_line_of(text.substr(0, end_of_lines)))
    return std::unexpected("it was changed, or a part of it is missing");
  text.remove_suffix(text.size() - end_of_lines);
  text.remove_prefix(kFirstLine.size());
  std::vector<KeptRun> runs;
  for (std::size_t number = 2; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    KeptRun run;
    const bool is_run = end != std::string_view::npos && take_number(line, 10, run.offset) &&
                        take_number(line, 10, run.length) && take_number(line, 16, run.hash) && line.empty();
    if (!is_run) return std::unexpected(fmt::format("line {} is not one of a record", number));
    runs.push_back(run);
    text.remove_prefix(end + 1);
  }
  return runs;
}

std::expected<std::vector<KeptRun>, std::string> read_kept_record(const std::string& path) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(
        fmt::format("{} should say which clusters a former repair kept, and cannot be used: {}", path, why));
  };
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0 && errno == ENOENT) return std::vector<KeptRun>();
  const std::filesystem::path named(path);
  const std::string directory = named.parent_path().empty() ? "." : named.parent_path().string();
  const Descriptor opened(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return std::vector<KeptRun>();
  const auto file = FileDevice::open_in(opened.get(), named.filename(), path);  // no symbolic link
  if (!file) {
    if (file.error().code == ENOENT) return std::vector<KeptRun>();
    return wrong(file.error().message);
  }
  if ((*file)->size_bytes() > kMostRecordBytes) return wrong("it is larger than any record");
  std::string text((*file)->size_bytes(), '\0');
  if (!(*file)->read(0, std::as_writable_bytes(std::span(text)))) return wrong("it cannot be read");
  auto runs = decode_kept_record(text);
  if (!runs) return wrong(runs.error());
  return runs;
}

std::expected<std::vector<KeptRun>, std::string> load_kept(const std::string& image_path,
                                                           const std::string& journal_path) {
  auto kept = read_kept_record(kept_path_of(image_path));
  if (!kept || journal_path.empty()) return kept;
  const auto more = read_kept_record(kept_path_beside(journal_path));
  if (!more) return more;
  return join_kept(*std::move(kept), *more);
}

std::vector<KeptRun> join_kept(std::vector<KeptRun> one, const std::vector<KeptRun>& other) {
  one.insert(one.end(), other.begin(), other.end());
  std::ranges::sort(one);
  const auto repeated = std::ranges::unique(one);
  one.erase(repeated.begin(), repeated.end());
  return one;
}

}  // namespace cowvet
