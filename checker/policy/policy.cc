#include "checker/policy/policy.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "checker/cli/command_line.h"
#include "checker/cli/input_file.h"

namespace cowvet {
namespace {

using Outcome = std::expected<void, std::string>;

// The first word of `line`; takes it and the blanks behind it away.
std::string_view take_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  return word;
}

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos || line[first] == '#') return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

Outcome add_directory(std::vector<std::string>& list, std::string_view directory) {
  // A relative one would depend on who calls.
  if (!directory.starts_with('/'))
    return std::unexpected(fmt::format("'{}' is no absolute path of a directory", directory));
  std::error_code ignored;
  if (!std::filesystem::is_directory(directory, ignored))
    return std::unexpected(fmt::format("'{}' is no directory", directory));
  list.emplace_back(directory);
  return {};
}

Outcome set(bool& what, bool value, std::string_view rest) {
  if (!rest.empty()) return std::unexpected(fmt::format("'{}' is too much", rest));
  what = value;
  return {};
}

Outcome set(std::uint64_t& what, std::expected<std::uint64_t, std::string> value) {
  if (!value) return std::unexpected(value.error());
  what = *value;
  return {};
}

Outcome apply(std::string_view line, Policy& policy) {
  std::string_view rest = line;
  const std::string_view verb = take_word(rest);
  const std::string_view what = take_word(rest);
  if (verb == "allow") {
    if (what == "backing-file") return add_directory(policy.backing_directories, rest);
    if (what == "data-file") return add_directory(policy.data_file_directories, rest);
    if (what == "snapshots") return set(policy.snapshots, true, rest);
    if (what == "dirty") return set(policy.dirty, true, rest);
    if (what == "encryption") return set(policy.luks, true, rest);
  } else if (verb == "refuse") {
    if (what == "partition-table") return set(policy.partition_table, false, rest);
  } else if (verb == "limit") {
    if (what == "virtual-size") return set(policy.virtual_bytes, parse_size(what, rest));
    if (what == "file-size") return set(policy.file_bytes, parse_size(what, rest));
    if (what == "backing-files") return set(policy.backing_files, parse_number(what, rest));
  }
  return std::unexpected(fmt::format("'{}' is no statement of a policy (cowvet-policy(5) has them)", line));
}

}  // namespace

std::expected<Policy, std::string> parse_policy(std::string_view text) {
  Policy policy;
  std::uint64_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    const std::string_view statement = trimmed(line);
    if (statement.empty()) continue;
    if (const auto applied = apply(statement, policy); !applied)
      return std::unexpected(fmt::format("line {}: {}", number, applied.error()));
  }
  return policy;
}

std::expected<Policy, std::string> load_policy(const std::string& name) {
  if (name == "preboot") return Policy{};
  auto in = open_input(name, "the policy");
  if (!in) return std::unexpected(in.error() + " ('preboot' is the one that is built in)");
  std::ostringstream text;
  // An empty file sets failbit on `text` only.
  if ((in->peek() != std::ifstream::traits_type::eof() && !(text << in->rdbuf())) || in->bad())
    return std::unexpected(fmt::format("the policy '{}' cannot be read to its end", name));
  auto policy = parse_policy(text.str());
  if (!policy) return std::unexpected(fmt::format("{}: {}", name, policy.error()));
  return policy;
}

}  // namespace cowvet
