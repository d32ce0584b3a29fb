#include "checker/report/place_text.h"

#include <fmt/format.h>

#include "checker/report/escape.h"
#include "checker/report/numbers.h"
#include "checker/report/wrap.h"

namespace cowvet {
namespace {

std::string subject(const Place& place) {
  const std::string_view file = place.file == File::data_file      ? "data file"
                                : place.file == File::backing_file ? "backing file"
                                                                   : "image";
  if (place.structure == Structure::none) return std::string(file);
  // The owner, which follows, says that it is a snapshot's.
  const bool of_snapshot = place.structure == Structure::snapshot_l1_table && !place.owner.empty();
  const std::string_view structure = to_string(of_snapshot ? Structure::l1_table : place.structure);
  return place.file == File::image ? std::string(structure) : fmt::format("{} in the {}", structure, file);
}

// "what is wrong (expected 1, found 2)". A number that the detail already says is not repeated.
std::string trouble(const Finding& finding) {
  std::string numbers;
  const auto add = [&](std::string_view label, std::optional<std::uint64_t> value) {
    if (!value || says(finding.detail, *value)) return;
    numbers += fmt::format("{}{} {}", numbers.empty() ? "" : ", ", label, plain_or_hex(*value));
  };
  add("expected", finding.expected);
  add("found", finding.found);
  std::string detail = escape_for_terminal(finding.detail);
  if (numbers.empty()) return detail;
  return detail.empty() ? numbers : fmt::format("{} ({})", detail, numbers);
}

}  // namespace

std::string describe(const Place& place) {
  std::string text = subject(place);
  if (!place.owner.empty()) text += fmt::format(" of {}", escape_for_terminal(place.owner));
  // A file as a whole has no byte to name.
  if (place.structure != Structure::none || place.offset != 0 || place.length != 0)
    text += fmt::format(", byte {:#x}", place.offset);
  if (place.l1_index) text += fmt::format(", L1 entry {}", *place.l1_index);
  if (place.l2_index) text += fmt::format(", L2 entry {}", *place.l2_index);
  if (place.guest) text += fmt::format(", guest {}", describe(*place.guest));
  return text;
}

// Lines are not broken at the edge: they are data, and people search them.
std::string describe(const Finding& finding, std::size_t indent) {
  std::string text = fmt::format("{:{}}{}", "", indent, describe(finding.place));
  if (finding.count > 1 && !says(finding.detail, finding.count))
    text += fmt::format(", {} in a row", finding.count);
  if (const std::string what = trouble(finding); !what.empty()) {
    const bool fits = text.size() + 2 + what.size() <= kTextWidth;
    text += fits ? ": " + what : fmt::format("\n{:{}}{}", "", indent + 2, what);
  }
  text += '\n';
  if (finding.other) text += fmt::format("{:{}}other: {}\n", "", indent + 2, describe(*finding.other));
  return text;
}

}  // namespace cowvet
