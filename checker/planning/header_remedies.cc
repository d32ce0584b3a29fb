// Header fields and feature bits that follow from the rest of the image.
#include <fmt/format.h>

#include <vector>

#include "checker/format/header.h"
#include "checker/planning/round.h"

namespace cowvet {
namespace {

void change_feature_bits(Round& round, const Finding& finding, std::string why, std::uint64_t field,
                         std::uint64_t clear) {
  round.editor.begin(finding.rule, Remedy::safe, std::move(why));
  const auto bits = round.editor.read_number<std::uint64_t>(File::image, field);
  round.editor.write_number(File::image, field, bits & ~clear);
}

void clear_padding(Round& round, const Finding& finding) {
  round.editor.begin(finding.rule, Remedy::safe, "clear the padding");
  round.editor.write(File::image, finding.place.offset, std::vector<std::byte>(finding.place.length));
}

void clear_unknown_autoclear(Round& round, const Finding& finding) {
  change_feature_bits(round, finding, "clear unknown autoclear bits, as whoever writes must",
                      offsetof(RawHeader, autoclear_features), ~kAutoclearKnown);
}

void clear_bitmaps_bit(Round& round, const Finding& finding) {
  change_feature_bits(round, finding, "clear the bitmaps bit: there are none",
                      offsetof(RawHeader, autoclear_features), kAutoclearBitmaps);
}

void clear_raw_bit(Round& round, const Finding& finding) {
  change_feature_bits(round, finding, "clear the raw bit: there is no data file",
                      offsetof(RawHeader, autoclear_features), kAutoclearRawData);
}

// The dirty bit says that refcounts may be stale. They are right when nothing is found about them.
void clear_dirty(Round& round, const Finding& finding) {
  for (const Finding& other : round.findings)
    if (other.rule->id.starts_with("refcount/") || other.severity == Severity::unchecked) return;
  change_feature_bits(round, finding, "clear the dirty bit: the refcounts are right",
                      offsetof(RawHeader, incompatible_features), kIncompatibleDirty);
}

// Cleared last, and only when nothing else is left.
void clear_corrupt(Round& round, const Finding& finding) {
  for (const Finding& other : round.findings)
    if (other.rule != finding.rule && other.severity != Severity::notice) return;
  change_feature_bits(round, finding, "clear the corrupt bit: nothing is wrong any more",
                      offsetof(RawHeader, incompatible_features), kIncompatibleCorrupt);
}

constexpr RemedyRow kRows[] = {
    {rule("header/padding"), Stage::header, clear_padding},
    {rule("header/unknown-autoclear"), Stage::header, clear_unknown_autoclear},
    {rule("ext/bitmaps-missing"), Stage::header, clear_bitmaps_bit},
    {rule("data-file/raw-without-bit"), Stage::header, clear_raw_bit},
    {rule("header/dirty"), Stage::flags, clear_dirty},
    {rule("header/corrupt"), Stage::flags, clear_corrupt},
};

}  // namespace

std::span<const RemedyRow> header_remedies() {
  return kRows;
}

}  // namespace cowvet
