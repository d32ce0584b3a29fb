#include "tests/corpus/qemu_differences.h"

#include <algorithm>

#include "corpus/output_files.h"
#include "tests/support/temporary_directory.h"

namespace cowvet::corpus {
namespace {

constexpr std::string_view kKey = "QEMU examines nothing without the key";
constexpr std::string_view kFile = "QEMU examines nothing without the data file";
constexpr std::string_view kBlind = "QEMU does not look";
constexpr std::string_view kLater = "QEMU notices when the guest reads there, and fails";
constexpr std::string_view kAllowed = "what a host lets boot is not what a check asks";
constexpr std::string_view kNoExtensions = "QEMU finds no extensions there: bitmaps are leaks to it";
constexpr std::string_view kLost = "lost guest data is a leak to QEMU, to be freed";

constexpr Difference kDifferences[] = {
    // What QEMU calls sound.
    {"bitmap/name-empty", 2, 0, kBlind},
    {"bitmap/padding", 2, 0, kBlind},
    {"bitmap/tail-bits", 2, 0, kBlind},
    {"data-file/offset-mismatch", 2, 0, kLater},
    {"data-file/raw-unmapped", 2, 0, "QEMU does not look at the content of a data file"},
    {"data-file/raw-with-backing", 2, 0, kBlind},
    {"data-file/raw-zero-differs", 2, 0, "QEMU does not look at the content of a data file"},
    {"data-file/short", 2, 0, "QEMU does not look at the size of a data file"},
    {"data-file/zero-offset", 2, 0,
     "without COPIED the first cluster counts as unallocated: the guest reads zeros"},
    {"ext/backing-format-nul", 2, 0, "QEMU takes the format for what stands before the NUL"},
    {"ext/bitmaps-missing", 2, 0, kBlind},
    {"ext/data-file-name-nul", 2, 0, "QEMU takes the name for what stands before the NUL"},
    {"ext/data-file-name-unexpected", 2, 0, kBlind},
    {"ext/duplicate", 2, 0, "the last one wins"},
    {"header/backing-name-empty", 2, 0, kBlind},
    {"header/backing-name-overlap", 2, 0, "QEMU looks only whether the name ends inside the first cluster"},
    {"header/corrupt", 2, 0, "the check itself may find nothing: who set the bit knew more"},
    {"header/l1-outside", 2, 0, "QEMU reads zeros behind the end of the file, and so an empty table"},
    {"header/length", 2, 0, "QEMU looks only whether the header is too short or too long"},
    {"header/lazy-without-v3", 2, 0, "QEMU does not look behind a header of version 2"},
    {"header/padding", 2, 0, kBlind},
    {"l2/compressed-outside", 2, 0, kLater},
    {"l2/compressed-undecodable", 2, 0, kLater},
    {"l2/cross-linked", 2, 0, "streams may share a cluster, data may not: the refcount is right for both"},
    {"l2/offset-zero", 2, 0, "QEMU takes the entry for an unallocated one"},
    {"l2/reserved-bits", 2, 0, "in version 2 the zero flag is a reserved bit, which QEMU does not look at"},
    {"l2/zero-bit-extended", 2, 0, kBlind},
    {"refcount/leak", 3, 0, "QEMU does not look at refcounts of clusters behind the end of the file"},
    {"snapshot/duplicate-id", 2, 0, kBlind},
    {"snapshot/size-beyond-l1", 2, 0, "QEMU notices when the snapshot is applied, and fails"},
    {"policy/backing-file", 2, 0, kAllowed},
    {"policy/dirty", 2, 0, kAllowed},
    {"policy/data-file", 2, 0, kAllowed},
    {"policy/name-unsafe", 2, 0, kAllowed},
    {"policy/not-qcow2", 2, 0, kAllowed},
    {"policy/oversized", 2, 0, kAllowed},
    {"policy/snapshot-present", 2, 0, kAllowed},
    // What QEMU calls leaks.
    {"policy/oversized", 2, 3, kAllowed},
    {"header/backing-name-overlap", 2, 3, kNoExtensions},
    {"header/length", 2, 3, kNoExtensions},
    {"l2/cross-linked", 2, 3,
     "the refcount is right for both: only the cluster that one of them lost is noticed"},
    {"l2/offset-zero", 2, 3, kLost},
    {"refcount/orphan-mapping", 2, 3, kLost},
    // What only the corpus's own devices refuse to read.
    {"file/unreadable", 1, 2, "in a file these bytes can be read: they are zeros"},
    {"file/unreadable", 1, 3, "in a file these bytes can be read: they are zeros"},
    // What QEMU does not open although nothing is wrong with it.
    {"bitmap/extra-data", 0, kRefused, "compatible extra data is to be kept; QEMU knows none"},
    {"bitmap/flags", 0, kRefused, "compatible extra data is to be kept; QEMU knows none"},
    {"data-file/missing", 0, kRefused, kFile},
    {"data-file/name-missing", 0, kRefused, kFile},
    {"data-file/name-relative", 0, kRefused, kFile},
    {"data-file/name-unsafe", 0, kRefused, kFile},
    {"data-file/not-examined", 0, kRefused, kFile},
    {"ext/luks-length", 0, kRefused, kKey},
    {"ext/luks-missing", 0, kRefused, kKey},
    {"ext/luks-outside", 0, kRefused, kKey},
    {"ext/luks-unaligned", 0, kRefused, kKey},
    {"ext/luks-unexpected", 0, kRefused, kKey},
    {"header/backing-name-empty", 0, kRefused, "QEMU opens the backing file: it is not there"},
    {"header/backing-name-outside", 0, kRefused, "QEMU opens the backing file: it is not there"},
    {"header/backing-name-too-long", 0, kRefused, "QEMU opens the backing file: it is not there"},
    {"header/crypt-method", 0, kRefused, kKey},
    {"luks/header", 0, kRefused, kKey},
    {"policy/data-file", 0, kRefused, kFile},
    {"policy/encrypted", 0, kRefused, kKey},
    {"policy/name-unsafe", 0, kRefused, "QEMU opens the backing file: it is not there"},
    // What is no qcow2 image at all.
    {"header/magic", 63, kRefused, "QEMU was told the format, and refuses to open it"},
    {"header/version", 63, kRefused, "QEMU was told the format, and refuses to open it"},
};

}  // namespace

std::span<const Difference> differences_of_qemu() {
  return kDifferences;
}

const Difference* find_difference(std::string_view rule, int expected, int qemu) {
  const auto row = std::ranges::find_if(kDifferences, [&](const Difference& difference) {
    return difference.about == rule && difference.expected == expected && difference.qemu == qemu;
  });
  return row == std::end(kDifferences) ? nullptr : row;
}

bool agrees(int expected, int qemu) {
  return qemu == expected || (qemu == kRefused && expected == kCorrupt);
}

CommandResult check_by_qemu(const Recipe& recipe, const BuiltImage& built) {
  const TemporaryDirectory directory;
  if (!write_files(recipe, built, directory.path())) return {};
  return run_script(
      "cd */ && timeout 60 qemu-img check -f qcow2 " + shell_quote(recipe.short_name() + ".qcow2"),
      directory.path());
}

}  // namespace cowvet::corpus
