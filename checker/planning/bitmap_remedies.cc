// Persistent bitmaps are auxiliary: the guest sees nothing of them. What can be put right is; a bitmap that
// cannot be is given up alone, and all others stay as they are.
#include <fmt/format.h>

#include "checker/planning/round.h"

namespace cowvet {
namespace {

void clear_reserved_field(Round& round, const Finding& finding) {
  round.editor.begin(finding.rule, Remedy::safe, "clear the reserved field");
  round.editor.write_number(File::image, finding.place.offset, std::uint32_t{0});
}

constexpr RemedyRow kRows[] = {
    {rule("ext/bitmaps-reserved"), Stage::header, clear_reserved_field},
};

}  // namespace

std::span<const RemedyRow> bitmap_remedies() {
  return kRows;
}

}  // namespace cowvet
