#include "corpus/compare_findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "corpus/resolve.h"

namespace cowvet::corpus {
namespace {

template <typename T>
bool agrees(const std::optional<T>& wanted, const T& found) {
  return !wanted || *wanted == found;
}

bool covers(const Place& place, std::uint64_t offset) {
  return offset >= place.offset && offset - place.offset < std::max<std::uint64_t>(1, place.length);
}

bool lies_in(const std::optional<GuestRange>& range, GuestRange outer) {
  return range && range->offset >= outer.offset &&
         fits_in(range->offset - outer.offset, range->length, outer.length);
}

// Whether the ranges of the findings together cover `range`.
bool cover_all(const std::vector<const Finding*>& findings, GuestRange range) {
  std::vector<GuestRange> parts;
  for (const Finding* finding : findings)
    if (finding->place.guest) parts.push_back(*finding->place.guest);
  std::ranges::sort(parts);
  std::uint64_t reached = range.offset;
  for (const GuestRange& part : parts)
    if (part.offset <= reached) reached = std::max(reached, part.offset + part.length);
  return reached >= range.offset + range.length;
}

// Expectations with their places resolved.
class Judge {
 public:
  Judge(const Recipe& recipe, const BuiltImage& built, const Report& report)
      : recipe_(recipe), built_(built), report_(report) {}

  std::string run() {
    for (const Expectation& expectation : recipe_.expectations)
      if (expectation.required) judge(expectation);
    for (const Finding& finding : report_.findings)
      if (std::ranges::none_of(recipe_.expectations,
                               [&](const Expectation& e) { return agrees_with(e, finding); }))
        complain("not expected: {}", describe(finding));
    return complaints_;
  }

 private:
  template <typename... Args>
  void complain(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(complaints_), format, std::forward<Args>(args)...);
    complaints_ += '\n';
  }

  void judge(const Expectation& expectation) {
    std::vector<const Finding*> found;
    for (const Finding& finding : report_.findings)
      if (agrees_with(expectation, finding)) found.push_back(&finding);
    const std::string_view id = expectation.rule->id;
    const unsigned line = expectation.where.line;
    if (found.empty()) return complain("line {}: no such finding of {}", line, id);
    std::uint64_t count = 0;
    for (const Finding* finding : found) count += finding->count;
    if (!agrees(expectation.count, count)) complain("line {}: {} counts {}", line, id, count);
    if (expectation.guest && !cover_all(found, *expectation.guest))
      complain("line {}: {} does not cover the guest range", line, id);
  }

  bool agrees_with(const Expectation& expectation, const Finding& finding) {
    if (expectation.rule != finding.rule) return false;
    if (expectation.guest && !lies_in(finding.place.guest, *expectation.guest)) return false;
    if (const auto at = value(expectation, expectation.at); at && !covers(finding.place, *at)) return false;
    if (const auto other = value(expectation, expectation.other);
        other && !(finding.other && covers(*finding.other, *other)))
      return false;
    const auto expected = value(expectation, expectation.expected);
    const auto found = value(expectation, expectation.found);
    return (!expected || finding.expected == expected) && (!found || finding.found == found) &&
           agrees(expectation.severity, finding.severity) && agrees(expectation.owner, finding.place.owner) &&
           agrees(expectation.file, std::string(to_string(finding.place.file))) &&
           agrees(expectation.structure, std::string(to_string(finding.place.structure)));
  }

  std::optional<std::uint64_t> value(const Expectation& expectation,
                                     const std::optional<Expression>& expression) {
    if (!expression) return std::nullopt;
    const auto resolved = resolve(*expression, built_.layout, built_.image.size());
    if (resolved) return *resolved;
    complain("line {}: '{}': {}", expectation.where.line, expression->source, resolved.error());
    return std::nullopt;
  }

  const Recipe& recipe_;
  const BuiltImage& built_;
  const Report& report_;
  std::string complaints_;
};

void append_place(std::string& out, const Place& place) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, " {} {} at=0x{:x} length={}", to_string(place.file), to_string(place.structure),
                 place.offset, place.length);
  if (place.guest) fmt::format_to(to, " guest=0x{:x}+{}", place.guest->offset, place.guest->length);
  if (!place.owner.empty()) fmt::format_to(to, " owner=\"{}\"", place.owner);
}

}  // namespace

std::string describe(const Finding& finding) {
  std::string out =
      fmt::format("{} severity={} count={}", finding.rule->id, to_string(finding.severity), finding.count);
  append_place(out, finding.place);
  if (finding.expected) out += fmt::format(" expected=0x{:x}", *finding.expected);
  if (finding.found) out += fmt::format(" found=0x{:x}", *finding.found);
  if (finding.other) {
    out += " other:";
    append_place(out, *finding.other);
  }
  return out + ": " + finding.detail;
}

std::string compare_findings(const Recipe& recipe, const BuiltImage& built, const Report& report) {
  return Judge(recipe, built, report).run();
}

}  // namespace cowvet::corpus
