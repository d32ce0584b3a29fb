#include "checker/catalogue/choices.h"

#include <algorithm>

namespace cowvet {
namespace {

constexpr Choice kLeak[] = {
    {"keep", "beside clusters with two owners, and after their repair: it may be the true data of one"},
    {"free", "wasted space all the same"},
};
constexpr Choice kOrphan[] = {
    {"keep", "change nothing"},
    {"relink", "map the lost table again where only one place is empty, and wiped parts of tables"},
    {"free", "give the data up"},
};
constexpr Choice kOverlap[] = {
    {"copy", "give each structure a cluster of its own, with the same content"},
    {"drop", "give the auxiliary one up; of bitmaps that share a table, both"},
};
constexpr Choice kCopies[] = {{"copy", "a copy for each, even if that takes much more room than the file"}};
constexpr Choice kSubclusters[] = {{"data", "read them as data"}, {"zero", "read them as zeros"}};
constexpr Choice kDuplicate[] = {{"last", "as QEMU reads it"}, {"first", "the other one"}};
constexpr Choice kNul[] = {{"cut", "end the text at the NUL"}, {"drop", "drop the extension"}};
constexpr Choice kEmptyName[] = {{"drop", "whoever opens the image names the data file"}};
constexpr Choice kUnexpectedName[] = {
    {"drop-name", "the image keeps its data itself"},
    {"set-bit", "its data is in the data file"},
};
constexpr Choice kUnexpectedLuks[] = {
    {"drop", "nothing is encrypted (the default where there is no LUKS header)"},
    {"set-method", "guest data is encrypted"},
    {"keep", "change nothing (the default where there is a LUKS header)"},
};
constexpr Choice kMagicNumber[] = {
    {"restore", "write the magic number, if everything behind it is in order"},
    {"rebuild", "write a header for the tables that are in the file"},
};
constexpr Choice kBeyondL1[] = {
    {"grow", "a longer L1 table"},
    {"shrink", "the disk ends where its L1 table does"},
};
constexpr Choice kBackingName[] = {
    {"restore", "the only text that can be the name"},
    {"drop-backing", "no backing file, if the guest sees nothing of it; with --allow lossy, even if it does"},
};
constexpr Choice kOffset[] = {
    {"guest-offset", "the data is where the guest wrote it"},
    {"move-data", "copy the data to where it belongs"},
    {"zero", "give the data up"},
};
constexpr Choice kRawBacking[] = {
    {"clear-raw", "the data file is not the whole disk"},
    {"drop-backing", "no backing file, if every cluster is allocated"},
};
constexpr Choice kZeroOffset[] = {
    {"keep", "the cluster was never written to (the default without the raw bit)"},
    {"map", "what the data file has there is its content (the default with the raw bit)"},
};
constexpr Choice kRaw[] = {
    {"clear-raw", "the metadata is right, and the data file is not the whole disk"},
    {"trust-raw", "the data file is right: map what it holds"},
    {"trust-metadata", "the metadata is right: zero the data file there"},
};

constexpr std::string_view kPlace = "a place that a plan proposes";

constexpr RuleChoices kChoices[] = {
    {rule("header/magic"), kMagicNumber, "rebuild:SIZE, where the disk's size in bytes is known"},
    {rule("header/version"), {}, "a version that a plan proposes"},
    {rule("header/cluster-bits"), {}, "a cluster size that a plan proposes"},
    {rule("header/size-beyond-l1"), kBeyondL1, ""},
    {rule("header/l1-unaligned"), {}, kPlace},
    {rule("header/l1-outside"), {}, kPlace},
    {rule("header/l1-too-large"), {}, kPlace},
    {rule("header/l1-implausible"), {}, kPlace},
    {rule("header/backing-name-outside"), kBackingName, ""},
    {rule("header/backing-name-too-long"), kBackingName, ""},
    {rule("header/backing-name-overlap"), kBackingName, ""},
    {rule("header/backing-name-empty"), kBackingName, ""},
    {rule("ext/duplicate"), kDuplicate, ""},
    {rule("ext/backing-format-missing"), {}, "the format of the backing file, such as raw"},
    {rule("ext/backing-format-nul"), kNul, ""},
    {rule("ext/luks-unexpected"), kUnexpectedLuks, ""},
    {rule("ext/data-file-name-unexpected"), kUnexpectedName, ""},
    {rule("ext/data-file-name-empty"), kEmptyName, ""},
    {rule("ext/data-file-name-nul"), kNul, ""},
    {rule("snapshot/l1-unaligned"), {}, kPlace},
    {rule("snapshot/l1-outside"), {}, kPlace},
    {rule("l1/reserved-bits"), {}, kPlace},
    {rule("l1/unaligned"), {}, kPlace},
    {rule("l1/outside"), {}, kPlace},
    {rule("l1/not-l2"), {}, kPlace},
    {rule("l1/shared"), kCopies, kPlace},
    {rule("l2/reserved-bits"), {}, kPlace},
    {rule("l2/unaligned"), {}, kPlace},
    {rule("l2/outside"), {}, kPlace},
    {rule("l2/cross-linked"), kCopies, ""},
    {rule("l2/overlaps-metadata"), kCopies, ""},
    {rule("l2/subcluster-conflict"), kSubclusters, ""},
    {rule("data-file/offset-mismatch"), kOffset, ""},
    {rule("data-file/zero-offset"), kZeroOffset, ""},
    {rule("data-file/raw-with-backing"), kRawBacking, ""},
    {rule("data-file/raw-unmapped"), kRaw, ""},
    {rule("data-file/raw-zero-differs"), kRaw, ""},
    {rule("refcount/leak"), kLeak, ""},
    {rule("refcount/orphan-mapping"), kOrphan, kPlace},
    {rule("overlap/metadata"), kOverlap, kPlace},
};

}  // namespace

std::optional<RuleChoices> choices_of(RuleId id) {
  const auto* found = std::ranges::find(kChoices, id, &RuleChoices::rule);
  return found == std::end(kChoices) ? std::nullopt : std::optional(*found);
}

bool is_outcome(RuleId id, std::string_view outcome) {
  const auto choice = choices_of(id);
  if (!choice) return false;
  if (!choice->others.empty()) return !outcome.empty();
  return std::ranges::any_of(choice->outcomes, [&](const Choice& one) { return one.name == outcome; });
}

}  // namespace cowvet
