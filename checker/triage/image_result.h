// What triage keeps of one image, and the line of JSON that carries it: from a worker to the program, from
// one machine to another.
//
//   line = {"type":"image", "filename":NAME, "size":BYTES, "outcome":OUTCOME, "signature":TEXT,
//           "corruptions":N, "leaks":N, "kept-leaks":N, "check-errors":N, "detail":TEXT (where there is one)}
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace cowvet {

// How an image opens. The order is that of tables: what somebody who sorts a corpus looks at first.
enum class Outcome : std::uint8_t {
  crashed,        // the worker process died of it
  timeout,        // the worker was ended, because it took too long
  out_of_memory,  // it wanted more than it was allowed
  unreadable,     // something in it, or all of it, could not be examined
  corrupt,
  leaks,
  not_qcow2,
  sound,
};
inline constexpr std::size_t kOutcomes = 8;

std::string_view to_string(Outcome outcome);  // "crashed", "timeout", "out-of-memory", ...
std::optional<Outcome> parse_outcome(std::string_view text);

// The exit status that stands for it, as `cowvet check` would give it.
int exit_status_of(Outcome outcome);

struct ImageResult {
  std::string path;
  std::uint64_t size_bytes = 0;
  Outcome outcome = Outcome::unreadable;
  std::string signature;  // see signature.h
  std::uint64_t corruptions = 0;
  std::uint64_t leaks = 0;
  std::uint64_t kept_leaks = 0;  // of these: those that a former repair kept
  std::uint64_t check_errors = 0;
  std::string detail;  // for people; may be empty
};

// With a line feed; ASCII. Bytes of the path that are no UTF-8 become U+FFFD.
std::string result_line(const ImageResult& result);

// Nothing: the document is not such a line.
std::optional<ImageResult> parse_result(const nlohmann::json& line);

}  // namespace cowvet
