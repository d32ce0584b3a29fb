#include "checker/triage/image_result.h"

#include <algorithm>
#include <array>

#include "checker/report/json_values.h"
#include "checker/report/verdict.h"

namespace cowvet {
namespace {

constexpr std::array<std::string_view, kOutcomes> kNames = {
    "crashed", "timeout", "out-of-memory", "unreadable", "corrupt", "leaks", "not-qcow2", "sound"};

// Throws what nlohmann-json throws where a member is missing or of another type.
ImageResult read_result(const nlohmann::json& line, Outcome outcome) {
  return {.path = line.at("filename").get<std::string>(),
          .size_bytes = line.at("size").get<std::uint64_t>(),
          .outcome = outcome,
          .signature = line.at("signature").get<std::string>(),
          .corruptions = line.at("corruptions").get<std::uint64_t>(),
          .leaks = line.at("leaks").get<std::uint64_t>(),
          .kept_leaks = line.at("kept-leaks").get<std::uint64_t>(),
          .check_errors = line.at("check-errors").get<std::uint64_t>(),
          .detail = line.value("detail", "")};
}

}  // namespace

std::string_view to_string(Outcome outcome) {
  return kNames[static_cast<std::size_t>(outcome)];
}

std::optional<Outcome> parse_outcome(std::string_view text) {
  const auto at = std::ranges::find(kNames, text);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Outcome>(at - kNames.begin());
}

int exit_status_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::sound:
      return kExitSound;
    case Outcome::leaks:
      return kExitLeaks;
    case Outcome::corrupt:
      return kExitCorrupt;
    case Outcome::not_qcow2:
      return kExitNotQcow2;
    case Outcome::crashed:
    case Outcome::timeout:
    case Outcome::out_of_memory:
    case Outcome::unreadable:
      break;
  }
  return kExitIncomplete;
}

std::string result_line(const ImageResult& result) {
  OrderedJson line = {{"type", "image"},
                      {"filename", result.path},
                      {"size", result.size_bytes},
                      {"outcome", to_string(result.outcome)},
                      {"signature", result.signature},
                      {"corruptions", result.corruptions},
                      {"leaks", result.leaks},
                      {"kept-leaks", result.kept_leaks},
                      {"check-errors", result.check_errors}};
  if (!result.detail.empty()) line["detail"] = result.detail;
  return dump_json(line) + "\n";
}

std::optional<ImageResult> parse_result(const nlohmann::json& line) {
  try {
    if (line.at("type") != "image") return std::nullopt;
    const auto outcome = parse_outcome(line.at("outcome").get<std::string>());
    if (!outcome) return std::nullopt;
    return read_result(line, *outcome);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace cowvet
