#include "checker/cli/command_line.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>  // program_invocation_short_name
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <system_error>

#include "checker/report/escape.h"
#include "checker/report/wrap.h"

namespace cowvet {

namespace po = boost::program_options;

namespace {

// "-f, --format FORMAT"
std::string names_of(const po::option_description& option) {
  const std::string name = option.canonical_display_name(po::command_line_style::allow_dash_for_short);
  const bool has_short = name.size() == 2;
  const bool takes_value = option.semantic()->max_tokens() > 0;
  return fmt::format("{:<4}--{}{}{}", has_short ? name + "," : "", option.long_name(), takes_value ? " " : "",
                     takes_value ? option.semantic()->name() : "");
}

}  // namespace

std::expected<po::variables_map, std::string> parse_arguments(const Arguments& arguments,
                                                              const po::options_description& options,
                                                              const char* positional) {
  // Abbreviated options would change their meaning when new ones come.
  const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
  po::positional_options_description words;
  words.add(positional, -1);
  try {
    po::variables_map values;
    po::store(po::command_line_parser(arguments).options(options).positional(words).style(style).run(),
              values);
    po::notify(values);
    return values;
  } catch (const po::error& error) {
    return std::unexpected(error.what());
  }
}

std::expected<std::uint64_t, std::string> parse_number(std::string_view option, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return std::unexpected(fmt::format("--{} takes a number, not '{}'", option, text));
}

std::expected<unsigned, std::string> parse_threads(std::string_view text) {
  constexpr std::uint64_t kMost = 1024;
  const auto number = parse_number("threads", text);
  if (!number) return std::unexpected(number.error());
  if (*number <= kMost) return static_cast<unsigned>(*number);
  return std::unexpected(fmt::format("--threads takes at most {}, not {}", kMost, *number));
}

std::expected<std::chrono::nanoseconds, std::string> parse_seconds(std::string_view option,
                                                                   std::string_view text) {
  constexpr double kMost = 1e9;
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds) || seconds < 0 ||
      seconds > kMost)
    return std::unexpected(fmt::format("--{} takes seconds, such as 2.5, not '{}'", option, text));
  return std::chrono::ceil<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view option, std::string_view text) {
  constexpr std::string_view kSuffixes = "kMGT";
  const std::size_t suffix = text.empty() ? std::string_view::npos : kSuffixes.find(text.back());
  const unsigned shift = suffix == std::string_view::npos ? 0 : 10 * (static_cast<unsigned>(suffix) + 1);
  const auto number = parse_number(option, text.substr(0, text.size() - (shift != 0)));
  if (!number || *number > std::numeric_limits<std::uint64_t>::max() >> shift)
    return std::unexpected(fmt::format("--{} takes a size such as 512M or 2G, not '{}'", option, text));
  return *number << shift;
}

bool print_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
    return true;
  const int code = errno;
  print_error(fmt::format("cannot write to standard output: {}", std::generic_category().message(code)));
  return false;
}

void print_err(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void print_error(std::string_view message) {
  print_err(fmt::format("{}: {}\n", program_invocation_short_name, escape_for_terminal(message)));
}

int usage_error(std::string_view message, std::string_view command) {
  print_error(message);
  print_err(fmt::format("Try '{} {}{}--help'.\n", program_invocation_short_name, command,
                        command.empty() ? "" : " "));
  return kExitIncomplete;
}

int print_usage(std::string_view usage, std::string_view text, const po::options_description& options) {
  std::size_t longest = 0;
  for (const auto& option : options.options()) longest = std::max(longest, names_of(*option).size());
  const std::size_t column = longest + 4;
  std::string help = fmt::format("Usage: {}\n\n{}\nOptions:\n", usage, text);
  for (const auto& option : options.options())
    help +=
        fmt::format("  {:<{}}{}", names_of(*option), column - 2, wrap(option->description(), column, column));
  return print_out(help) ? kExitSound : kExitIncomplete;
}

int print_help(std::string_view command, std::string_view text, const po::options_description& options) {
  return print_usage(fmt::format("cowvet {} {}", command, find_command(command)->usage), text, options);
}

void occupy_standard_descriptors() {
  for (int descriptor = open("/dev/null", O_RDONLY); descriptor >= 0;
       descriptor = open("/dev/null", O_RDONLY))
    if (descriptor > STDERR_FILENO) {
      close(descriptor);
      return;
    }
}

}  // namespace cowvet
