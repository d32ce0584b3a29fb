#include "checker/report/map_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "checker/report/escape.h"

namespace cowvet {
namespace {

std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::string json_extent(const MapExtent& extent) {
  std::string text = fmt::format(
      R"({{ "start": {}, "length": {}, "depth": {}, "present": {}, "zero": {}, "data": {}, "compressed": {})",
      extent.guest.offset, extent.guest.length, extent.depth, extent.present, extent.zero, extent.data,
      extent.kind == ExtentKind::compressed);
  if (extent.host_offset) text += fmt::format(R"(, "offset": {})", *extent.host_offset);
  text += fmt::format(R"(, "kind": "{}")", to_string(extent.kind));
  if (extent.file != nullptr) text += fmt::format(R"(, "file": {})", json_string(*extent.file));
  return text + "}";
}

std::string json_extent(const ClusterExtent& extent) {
  std::string text = fmt::format(R"({{ "offset": {}, "length": {}, "state": "{}")", extent.offset,
                                 extent.length, to_string(extent.state));
  if (extent.structure != Structure::none)
    text += fmt::format(R"(, "structure": "{}")", to_string(extent.structure));
  if (!extent.owner.empty()) text += fmt::format(R"(, "owner": {})", json_string(extent.owner));
  return text + "}";
}

// Blanks at the end of a line help nobody.
std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

std::string line(std::string_view start, std::string_view length, std::string_view depth,
                 std::string_view kind, std::string_view host_offset, std::string_view file) {
  return trimmed(fmt::format("{:<18}  {:<18}  {:<5}  {:<14}  {:<18}  {}", start, length, depth, kind,
                             host_offset, file));
}

std::string line(std::string_view offset, std::string_view length, std::string_view use,
                 std::string_view owner) {
  return trimmed(fmt::format("{:<18}  {:<18}  {:<28}  {}", offset, length, use, owner));
}

std::string hex(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

}  // namespace

std::string MapWriter::begin() const {
  if (format_ == MapFormat::json) return "[";
  return line("Guest offset", "Length", "Depth", "Kind", "Host offset", "File");
}

std::string MapWriter::extent(const MapExtent& extent) {
  if (format_ == MapFormat::json) return (std::exchange(any_, true) ? ",\n" : "") + json_extent(extent);
  return line(hex(extent.guest.offset), hex(extent.guest.length), fmt::format("{}", extent.depth),
              to_string(extent.kind), extent.host_offset ? hex(*extent.host_offset) : "",
              extent.file != nullptr ? escape_for_terminal(*extent.file) : "");
}

std::string MapWriter::end() const {
  return format_ == MapFormat::json ? "]\n" : "";
}

std::string ClusterMapWriter::begin() const {
  return format_ == MapFormat::json ? "[" : line("Offset", "Length", "Use", "Owner");
}

std::string ClusterMapWriter::extent(const ClusterExtent& extent) {
  if (format_ == MapFormat::json) return (std::exchange(any_, true) ? ",\n" : "") + json_extent(extent);
  return line(hex(extent.offset), hex(extent.length), describe_use(extent),
              escape_for_terminal(extent.owner));
}

std::string ClusterMapWriter::end() const {
  return format_ == MapFormat::json ? "]\n" : "";
}

}  // namespace cowvet
