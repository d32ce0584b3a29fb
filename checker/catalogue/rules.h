// The rows of the catalogue. Ids are public and stable. Texts are for people who do not know the format:
// `condition` says when the rule fires, `clause` where the specification (or QEMU) says so, `meaning` what it
// means for the guest, `advice` what to do.
#pragma once

#include <cstdint>
#include <string_view>

namespace cowvet {

// The order is that of precedence in the exit status: the highest found decides it.
enum class Severity : std::uint8_t { notice, leak, corruption, unchecked };

// What a repair may do unasked.
//   safe      the guest-visible content of the active disk and of every snapshot stays bit for bit
//   metadata  auxiliary data (a snapshot, a bitmap, a name) is given up
//   choice    several outcomes can be defended; the user picks
//   lossy     some guest content cannot be kept
//   none      cannot be repaired in place
enum class Remedy : std::uint8_t { none, safe, metadata, choice, lossy };

struct Rule {
  std::string_view id;
  Severity severity;  // a finding may carry another one where rules say "or"
  Remedy remedy;
  std::string_view condition;
  std::string_view clause;
  std::string_view meaning;
  std::string_view advice;
};

inline constexpr Rule kRules[] = {
    {"header/magic", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"header/version", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"header/truncated", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"header/cluster-bits", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"header/refcount-order", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/length", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/padding", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/unknown-incompatible", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"header/unknown-compatible", Severity::notice, Remedy::safe, "", "", "", ""},
    {"header/unknown-autoclear", Severity::notice, Remedy::safe, "", "", "", ""},
    {"header/dirty", Severity::notice, Remedy::safe, "", "", "", ""},
    {"header/corrupt", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/crypt-method", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"header/compression-type", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/size-unaligned", Severity::notice, Remedy::none, "", "", "", ""},
    {"header/size-beyond-l1", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/l1-unaligned", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/l1-outside", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/l1-too-large", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/l1-implausible", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/refcount-table-unaligned", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/refcount-table-outside", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/refcount-table-too-large", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/refcount-table-missing", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"header/snapshots-unaligned", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"header/snapshots-outside", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"header/snapshots-too-many", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"header/backing-name-outside", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/backing-name-too-long", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/backing-name-overlap", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/backing-name-empty", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"header/lazy-without-v3", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"ext/overrun", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"ext/unterminated", Severity::notice, Remedy::safe, "", "", "", ""},
    {"ext/duplicate", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"ext/feature-table-length", Severity::notice, Remedy::safe, "", "", "", ""},
    {"ext/backing-format-missing", Severity::notice, Remedy::choice, "", "", "", ""},
    {"ext/backing-format-orphan", Severity::notice, Remedy::safe, "", "", "", ""},
    {"ext/backing-format-nul", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"ext/bitmaps-length", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"ext/bitmaps-reserved", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"ext/bitmaps-count", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"ext/bitmaps-directory-unaligned", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"ext/bitmaps-directory-outside", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"ext/bitmaps-stale", Severity::notice, Remedy::metadata, "", "", "", ""},
    {"ext/bitmaps-missing", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"ext/luks-missing", Severity::corruption, Remedy::none, "", "", "", ""},
    {"ext/luks-unexpected", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"ext/luks-length", Severity::corruption, Remedy::none, "", "", "", ""},
    {"ext/luks-unaligned", Severity::corruption, Remedy::none, "", "", "", ""},
    {"ext/luks-outside", Severity::corruption, Remedy::none, "", "", "", ""},
    {"ext/data-file-name-unexpected", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"ext/data-file-name-empty", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"ext/data-file-name-nul", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"l1/reserved-bits", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"l1/unaligned", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l1/outside", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l1/not-l2", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l1/shared", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"l1/copied", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"l1/past-end", Severity::notice, Remedy::none, "", "", "", ""},
    {"l2/reserved-bits", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"l2/unaligned", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l2/outside", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l2/offset-zero", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l2/cross-linked", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"l2/overlaps-metadata", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"l2/copied", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"l2/compressed-copied", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"l2/compressed-outside", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l2/compressed-undecodable", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l2/past-end", Severity::notice, Remedy::safe, "", "", "", ""},
    {"l2/subcluster-conflict", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"l2/subcluster-without-cluster", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"l2/subcluster-on-compressed", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"l2/zero-bit-extended", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"data-file/offset-mismatch", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"data-file/not-copied", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"data-file/zero-offset", Severity::notice, Remedy::safe, "", "", "", ""},
    {"data-file/compressed", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"data-file/snapshots", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"data-file/raw-without-bit", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"data-file/raw-with-backing", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"data-file/raw-unmapped", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"data-file/raw-zero-differs", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"data-file/missing", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"data-file/not-examined", Severity::notice, Remedy::none, "", "", "", ""},
    {"data-file/short", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"data-file/long", Severity::notice, Remedy::none, "", "", "", ""},
    {"data-file/is-image", Severity::corruption, Remedy::none, "", "", "", ""},
    {"data-file/name-missing", Severity::notice, Remedy::none, "", "", "", ""},
    {"data-file/name-unsafe", Severity::notice, Remedy::none, "", "", "", ""},
    {"data-file/name-relative", Severity::notice, Remedy::none, "", "", "", ""},
    {"data-file/shared", Severity::corruption, Remedy::none, "", "", "", ""},
    {"refcount/leak", Severity::leak, Remedy::safe, "", "", "", ""},
    {"refcount/orphan-mapping", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"refcount/too-low", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/too-high", Severity::leak, Remedy::safe, "", "", "", ""},
    {"refcount/overflow", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/block-reserved-bits", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/block-unaligned", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/block-outside", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/block-shared", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/block-overlap", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"refcount/table-too-short", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"overlap/metadata", Severity::corruption, Remedy::choice, "", "", "", ""},
    {"file/truncated", Severity::corruption, Remedy::lossy, "", "", "", ""},
    {"file/trailing", Severity::notice, Remedy::none, "", "", "", ""},
    {"file/unreadable", Severity::unchecked, Remedy::none, "", "", "", ""},
    {"snapshot/entry-truncated", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"snapshot/extra-data-short", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"snapshot/extra-data-long", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"snapshot/l1-unaligned", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"snapshot/l1-outside", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"snapshot/l1-too-large", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"snapshot/duplicate-id", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"snapshot/duplicate-name", Severity::notice, Remedy::none, "", "", "", ""},
    {"snapshot/size-beyond-l1", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/directory-size", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"bitmap/entry-truncated", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"bitmap/padding", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"bitmap/table-unaligned", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/table-outside", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/table-size", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/flags", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/type", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/granularity", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/name-empty", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/name-long", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/name-duplicate", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/extra-data", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/in-use", Severity::notice, Remedy::metadata, "", "", "", ""},
    {"bitmap/entry-reserved", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"bitmap/entry-unaligned", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/entry-outside", Severity::corruption, Remedy::metadata, "", "", "", ""},
    {"bitmap/tail-bits", Severity::corruption, Remedy::safe, "", "", "", ""},
    {"luks/header", Severity::corruption, Remedy::none, "", "", "", ""},
};

}  // namespace cowvet
