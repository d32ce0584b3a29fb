// What every subcommand needs of a command line: options, numbers, messages, output that notices a full disk.
#pragma once

#include <boost/program_options.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "checker/cli/commands.h"
#include "checker/report/verdict.h"

namespace cowvet {

// Parses `arguments` by `options`; words that belong to no option go to `positional` (an option of `options`
// that takes a vector of strings). The error is a message for people.
std::expected<boost::program_options::variables_map, std::string> parse_arguments(
    const Arguments& arguments, const boost::program_options::options_description& options,
    const char* positional);

// A decimal number and nothing else.
std::expected<std::uint64_t, std::string> parse_number(std::string_view option, std::string_view text);

// The number of threads to use; 0: one for each processor.
std::expected<unsigned, std::string> parse_threads(std::string_view text);

// A time in seconds, fractions allowed.
std::expected<std::chrono::nanoseconds, std::string> parse_seconds(std::string_view option,
                                                                   std::string_view text);

// Bytes: a decimal number with an optional suffix k, M, G or T (powers of 1024).
std::expected<std::uint64_t, std::string> parse_size(std::string_view option, std::string_view text);

// Writes to standard output at once; false, after a message: it could not be written.
bool print_out(std::string_view text);

// Writes to standard error as it is; what cannot be written there is lost.
void print_err(std::string_view text);

// "PROGRAM: MESSAGE" on standard error. What an image or a file name brought into `message` is escaped.
void print_error(std::string_view message);

// As print_error, with a hint at the help; returns the status of wrong usage. `command` may be empty.
int usage_error(std::string_view message, std::string_view command = {});

// Prints "Usage: " and `usage`, then `text` and the options; returns the exit status.
int print_usage(std::string_view usage, std::string_view text,
                const boost::program_options::options_description& options);
// The same for a subcommand of cowvet.
int print_help(std::string_view command, std::string_view text,
               const boost::program_options::options_description& options);

// A file opened later must not become standard output or standard error of a program started without them.
// What is printed there fails, as it would have.
void occupy_standard_descriptors();

}  // namespace cowvet
