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

// Advice that several rules share.
// clang-format off: a line for each text
inline constexpr std::string_view kRefcountAdvice =
    "Do not write to the image before it is repaired: 'cowvet-repair IMAGE' puts this right and leaves "
    "guest data alone. 'qemu-img check -r' deletes the snapshots of an image that also has bitmaps.";

inline constexpr std::string_view kSpaceAdvice =
    "Nothing has to be done. 'cowvet-repair IMAGE' makes the space free for the image to use again.";

inline constexpr std::string_view kRepairAdvice =
    "Do not write to the image before it is repaired: 'cowvet-repair IMAGE' puts this right and leaves "
    "guest data alone.";

inline constexpr std::string_view kKeepAdvice =
    "Keep the file, even if QEMU refuses to open it: the guest's data is still there. 'cowvet-repair "
    "IMAGE' repairs this without losing any of it.";

inline constexpr std::string_view kUnreadableAdvice =
    "Keep the file as it is, and restore the image from a backup if there is one.";

inline constexpr std::string_view kL1Advice =
    "Do not run 'qemu-img check -r' on the image: it takes everything that the L1 table should name for "
    "leaked space and frees it. Keep the file: the data is still there until something is written, and "
    "'cowvet-repair IMAGE' looks for the table.";

inline constexpr std::string_view kLostRangeAdvice =
    "Restore the guest ranges that are listed from a backup. Do not run 'qemu-img check -r' on the only "
    "copy: it frees what it finds unused, and that may be the data that is missing here.";

inline constexpr std::string_view kWrongRangeAdvice =
    "Compare the guest ranges that are listed with a backup: at least one of them holds data of another. "
    "Do not run 'qemu-img check -r': it only raises the refcount and calls the image sound.";

inline constexpr std::string_view kSnapshotAdvice =
    "The running disk is not affected. If the snapshot is needed, keep a copy of the file: "
    "'cowvet-repair --allow metadata IMAGE' may have to give it up.";

inline constexpr std::string_view kSnapshotTableAdvice =
    "Keep a copy of the file: 'qemu-img check -r' may write an empty snapshot table, and with it every "
    "snapshot is lost. The running disk is not affected.";

inline constexpr std::string_view kBitmapAdvice =
    "The guest's disk is not affected. 'cowvet-repair --allow metadata IMAGE' removes what is damaged "
    "of the bitmap, or all of it; begin the next incremental backup with a full one.";

inline constexpr std::string_view kBackingAdvice =
    "Find out which backing file the image was made with, and name it again with 'qemu-img rebase -u -b "
    "FILE -F FORMAT IMAGE' on a copy. A wrong backing file gives the guest wrong data.";

inline constexpr std::string_view kPolicyAdvice =
    "Do not start a guest from this image here. If you trust where it comes from, allow it in a policy file "
    "('cowvet check --policy FILE').";

inline constexpr std::string_view kLuksAdvice =
    "Do not write to the image and do not run 'qemu-img check -r' on it: it may free the clusters that "
    "hold the keys. Without these keys the guest's data cannot be decrypted; restore the LUKS header from "
    "a backup.";

inline constexpr std::string_view kDataFileNameAdvice =
    "Find out which data file belongs to the image and check it with 'cowvet check --data-file FILE "
    "IMAGE'.";

inline constexpr std::string_view kRawAdvice =
    "Decide which side is right, the metadata or the data file read on its own. 'cowvet-repair IMAGE' "
    "only takes the promise back; with '--choose RULE=trust-raw' or '--choose RULE=trust-metadata' it "
    "makes one side follow the other. Until then do not let anything read the data file as a raw image, "
    "and do not write through either.";

inline constexpr std::string_view kUpgradeAdvice =
    "Check the image with the program that made it, or with a later version of this one.";

inline constexpr std::string_view kNothingAdvice =
    "Nothing has to be done.";

// id, severity, remedy; condition; clause; meaning; advice.
inline constexpr Rule kRules[] = {
    // The header.
    {"header/magic", Severity::unchecked, Remedy::choice,
     "The file does not begin with the qcow2 magic number, 'QFI' and the byte 0xfb.",
     "Header, bytes 0-3",
     "Either this is not a qcow2 image, or its first bytes were overwritten. Nothing in it was examined.",
     "Make sure that it is the right file. If it was a qcow2 image before, do not write to it: "
     "'cowvet-repair --dry-run --choose header/magic=rebuild IMAGE' looks for the tables behind the "
     "header, and shows which header they need."},
    {"header/version", Severity::unchecked, Remedy::none,
     "The version in the header is neither 2 nor 3.",
     "Header, bytes 4-7",
     "No known program can read the image, and nothing behind its header was examined.",
     kUpgradeAdvice},
    {"header/truncated", Severity::unchecked, Remedy::none,
     "The file ends before the header does.",
     "Header",
     "The file was cut off or never written. It holds no guest data that could be found.",
     kUnreadableAdvice},
    {"header/cluster-bits", Severity::unchecked, Remedy::none,
     "The cluster size is below 512 bytes, above 2 MiB, or below 16 KiB with extended L2 entries.",
     "Header, bytes 20-23; the upper bound of 2 MiB is a QEMU limit",
     "The cluster size decides how everything else is read. Nothing behind the header was examined.",
     "Keep the file as it is: if this field alone is damaged, the true cluster size can be found by "
     "trying which one fits the rest."},
    {"header/refcount-order", Severity::corruption, Remedy::safe,
     "The width of refcounts is above 64 bits.",
     "Header, bytes 96-99",
     "Which parts of the file are in use cannot be read from it, so that refcounts were not checked.",
     kKeepAdvice},
    {"header/length", Severity::corruption, Remedy::safe,
     "The length of a version 3 header is below 104, not a multiple of 8, or beyond the first cluster.",
     "Header, bytes 100-103",
     "Where the header extensions begin is uncertain: names of the backing file and of the data file may "
     "be misread.",
     kKeepAdvice},
    {"header/padding", Severity::corruption, Remedy::safe,
     "The padding behind the last known field of the header is not zero.",
     "Header padding",
     "A later version of QEMU may take these bytes for the value of a field that it knows.",
     kRepairAdvice},
    {"header/unknown-incompatible", Severity::unchecked, Remedy::none,
     "An incompatible feature bit above bit 4 is set.",
     "Header, bytes 72-79: 'must fail to open an image if an unknown bit is set'",
     "The image uses a feature that this program does not know and that may change the meaning of "
     "everything in it. Nothing behind the header was examined.",
     kUpgradeAdvice},
    {"header/unknown-compatible", Severity::notice, Remedy::none,
     "A compatible feature bit that the specification does not define is set.",
     "Header, bytes 80-87",
     "The image can be used: programs may ignore such bits.",
     kNothingAdvice},
    {"header/unknown-autoclear", Severity::notice, Remedy::safe,
     "An autoclear feature bit that the specification does not define is set.",
     "Header, bytes 88-95",
     "The image can be used. A program that writes to it clears the bit, and the feature behind it is "
     "then lost.",
     "If the program that made the image relies on the feature, do not write to the image with another "
     "one."},
    {"header/dirty", Severity::notice, Remedy::safe,
     "The dirty bit is set: the image was not closed cleanly.",
     "Header, bytes 72-79, bit 0",
     "With lazy refcounts this is normal after a crash: refcounts may be stale and are rebuilt when the "
     "image is opened for writing next. It is also set while the image is in use.",
     "If the image is in use, check it again after the guest was shut down. Otherwise start the guest, or "
     "run 'cowvet-repair IMAGE': both rebuild the refcounts."},
    {"header/corrupt", Severity::corruption, Remedy::safe,
     "The corrupt bit is set: a program that used the image found damage in it.",
     "Header, bytes 72-79, bit 1",
     "QEMU opens the image only for reading until it is repaired. What the damage is, the other findings "
     "say; where there are none, it may have been repaired, or a repair whose journal lies elsewhere is "
     "unfinished ('cowvet-repair --journal PATH --resume').",
     kRepairAdvice},
    {"header/crypt-method", Severity::unchecked, Remedy::none,
     "The encryption method is neither none (0), AES (1) nor LUKS (2).",
     "Header, bytes 32-35",
     "The guest's data cannot be decrypted by any known program. The structure of the image was examined "
     "all the same.",
     kUpgradeAdvice},
    {"header/compression-type", Severity::corruption, Remedy::safe,
     "The compression type and the compression feature bit contradict each other, or the type is unknown.",
     "Header, bytes 104 and 72-79, bit 3",
     "QEMU refuses to open the image. Compressed clusters cannot be read before it is known how they are "
     "compressed.",
     kKeepAdvice},
    {"header/size-unaligned", Severity::notice, Remedy::none,
     "The virtual size is not a multiple of 512 bytes.",
     "QEMU limit: disks are made of sectors of 512 bytes",
     "QEMU counts in sectors: the guest may see a disk that is a few bytes shorter than the image says.",
     "Nothing has to be done unless the last bytes of the disk matter; 'qemu-img resize' gives the image "
     "a size in whole sectors."},
    {"header/size-beyond-l1", Severity::corruption, Remedy::safe,
     "The L1 table is too short for the virtual size.",
     "Header, bytes 24-31 and 36-39; Cluster mapping",
     "The end of the guest's disk has no place in the image. QEMU refuses to open it.",
     kKeepAdvice},
    {"header/l1-unaligned", Severity::corruption, Remedy::choice,
     "The active L1 table does not begin at a cluster.",
     "Header, bytes 40-47",
     "None of the guest's data can be found through this table, although the data itself may be whole.",
     kL1Advice},
    {"header/l1-outside", Severity::corruption, Remedy::choice,
     "The active L1 table lies on the header or does not lie inside the file.",
     "Header, bytes 40-47",
     "None of the guest's data can be found through this table, although the data itself may be whole.",
     kL1Advice},
    {"header/l1-too-large", Severity::corruption, Remedy::choice,
     "The active L1 table is larger than 32 MiB.",
     "QEMU limit: 32 MiB (Header, bytes 24-31)",
     "QEMU refuses to open the image. The field is either damaged or was written by another program.",
     kL1Advice},
    {"header/l1-implausible", Severity::corruption, Remedy::choice,
     "The active L1 table maps nothing, while clusters that nothing refers to hold L2 tables.",
     "Cluster mapping",
     "The header most likely names the wrong place for the L1 table: the guest sees an empty disk while "
     "its data is still in the file.",
     kL1Advice},
    {"header/refcount-table-unaligned", Severity::corruption, Remedy::safe,
     "The refcount table does not begin at a cluster.",
     "Header, bytes 48-55",
     "Which parts of the file are in use is unknown. The guest's data is not affected until something is "
     "written.",
     kKeepAdvice},
    {"header/refcount-table-outside", Severity::corruption, Remedy::safe,
     "The refcount table lies on the header or does not lie inside the file.",
     "Header, bytes 48-55",
     "Which parts of the file are in use is unknown. The guest's data is not affected until something is "
     "written.",
     kKeepAdvice},
    {"header/refcount-table-too-large", Severity::corruption, Remedy::safe,
     "The refcount table is larger than 8 MiB.",
     "QEMU limit: 8 MiB (Host cluster management)",
     "QEMU refuses to open the image. The guest's data is not affected.",
     kKeepAdvice},
    {"header/refcount-table-missing", Severity::corruption, Remedy::safe,
     "The header names no refcount table, or one of no clusters.",
     "Header, bytes 48-59",
     "Which parts of the file are in use is unknown. The guest's data is not affected until something is "
     "written.",
     kKeepAdvice},
    {"header/snapshots-unaligned", Severity::corruption, Remedy::metadata,
     "The snapshot table does not begin at a cluster.",
     "Header, bytes 64-71",
     "The internal snapshots cannot be found. The running disk is not affected.",
     kSnapshotTableAdvice},
    {"header/snapshots-outside", Severity::corruption, Remedy::metadata,
     "The snapshot table lies on the header or does not lie inside the file.",
     "Header, bytes 64-71",
     "The internal snapshots cannot be found. The running disk is not affected.",
     kSnapshotTableAdvice},
    {"header/snapshots-too-many", Severity::corruption, Remedy::metadata,
     "The header counts more than 65536 snapshots.",
     "QEMU limit: 65536 snapshots (Header, bytes 60-63)",
     "QEMU refuses to open the image. Most likely the count is damaged.",
     kSnapshotTableAdvice},
    {"header/backing-name-outside", Severity::corruption, Remedy::choice,
     "The name of the backing file leaves the first cluster.",
     "Header, bytes 8-19; Header extensions",
     "Which backing file the image builds on is unknown: everything that the guest never wrote would be "
     "read from there.",
     kBackingAdvice},
    {"header/backing-name-too-long", Severity::corruption, Remedy::choice,
     "The name of the backing file is longer than 1023 bytes.",
     "Header, bytes 16-19",
     "QEMU refuses to open the image. Most likely the length is damaged.",
     kBackingAdvice},
    {"header/backing-name-overlap", Severity::corruption, Remedy::choice,
     "The name of the backing file lies on the header or on its extensions.",
     "Header extensions: the name follows the extension area",
     "Name and extensions overwrite each other: the backing file, and features of the image, may be "
     "misread.",
     kBackingAdvice},
    {"header/backing-name-empty", Severity::corruption, Remedy::choice,
     "The image has a backing file according to its header, but the name is empty.",
     "Header, bytes 8-19",
     "Everything that the guest never wrote should come from a file that is not named; QEMU returns zeros "
     "instead.",
     kBackingAdvice},
    {"header/lazy-without-v3", Severity::corruption, Remedy::safe,
     "The header says version 2, but features of version 3 are set in it.",
     "Header: version 2 ends at byte 72",
     "Most likely the version is damaged: features such as the dirty bit or a data file are then not "
     "seen, and the image is misread.",
     kKeepAdvice},
    // Header extensions.
    {"ext/overrun", Severity::corruption, Remedy::safe,
     "A header extension claims to be longer than the space that extensions have.",
     "Header extensions",
     "This extension and all behind it cannot be read: QEMU refuses to open the image.",
     kKeepAdvice},
    {"ext/unterminated", Severity::notice, Remedy::safe,
     "The header extensions have no end marker.",
     "Header extensions, type 0",
     "All extensions could be read. Programs that look for the marker may read on into other bytes.",
     kNothingAdvice},
    {"ext/duplicate", Severity::corruption, Remedy::safe,
     "A header extension that may appear once appears again.",
     "Header extensions: 'shall appear at most once'",
     "Programs differ in which of the two they take. With two names or formats the guest may get wrong "
     "data.",
     "Find out which of the two is right before the image is used."},
    {"ext/feature-table-length", Severity::notice, Remedy::safe,
     "The feature name table is not made of whole entries, or an entry has an impossible type or bit "
     "number.",
     "Feature name table",
     "Only names for messages are affected, no data.",
     kNothingAdvice},
    {"ext/backing-format-missing", Severity::notice, Remedy::choice,
     "The image has a backing file, but does not say which format it has.",
     "Header extensions, backing file format name; QEMU demands it for new images since 6.1",
     "QEMU guesses the format from the content. A guest that can write to a raw backing file can make it "
     "look like an image and so read other files of the host.",
     "Name the format with 'qemu-img rebase -u -b FILE -F FORMAT IMAGE'."},
    {"ext/backing-format-orphan", Severity::notice, Remedy::safe,
     "The image names a format for its backing file, but has no backing file.",
     "Header extensions, backing file format name",
     "The format is ignored. If the image should have a backing file, its name was lost.",
     "If the image was made without a backing file, nothing has to be done."},
    {"ext/backing-format-nul", Severity::corruption, Remedy::choice,
     "The format of the backing file has a zero byte in its name.",
     "String header extensions: not terminated by zero bytes",
     "Programs read different format names from it. A backing file that is read in the wrong format gives "
     "the guest wrong data.",
     kBackingAdvice},
    {"ext/bitmaps-length", Severity::corruption, Remedy::metadata,
     "The bitmaps extension does not have its length of 24 bytes.",
     "Bitmaps extension",
     "QEMU refuses to open the image. The bitmaps cannot be found; the guest's disk is not affected.",
     kKeepAdvice},
    {"ext/bitmaps-reserved", Severity::corruption, Remedy::metadata,
     "The reserved field of the bitmaps extension is not zero.",
     "Bitmaps extension, bytes 4-7",
     "QEMU refuses to open the image. The guest's disk is not affected.",
     kKeepAdvice},
    {"ext/bitmaps-count", Severity::corruption, Remedy::metadata,
     "The bitmaps extension counts no bitmap, or more than 65535.",
     "Bitmaps extension, bytes 0-3; 65535 is a QEMU limit",
     "QEMU refuses to open the image. The guest's disk is not affected.",
     kKeepAdvice},
    {"ext/bitmaps-directory-unaligned", Severity::corruption, Remedy::metadata,
     "The bitmap directory does not begin at a cluster.",
     "Bitmaps extension, bytes 16-23",
     "The bitmaps cannot be found. The guest's disk is not affected.",
     kKeepAdvice},
    {"ext/bitmaps-directory-outside", Severity::corruption, Remedy::metadata,
     "The bitmap directory lies on the header, does not lie inside the file, or has an impossible size.",
     "Bitmaps extension, bytes 8-23; the greatest size is a QEMU limit",
     "The bitmaps cannot be found. The guest's disk is not affected.",
     kKeepAdvice},
    {"ext/bitmaps-stale", Severity::notice, Remedy::metadata,
     "The image has bitmaps, but autoclear bit 0, which vouches for them, is clear.",
     "Header, bytes 88-95, bit 0: 'must be considered inconsistent'",
     "A program that does not know bitmaps wrote to the image. An incremental backup made from these "
     "bitmaps would miss data.",
     "Begin the next incremental backup with a full one; QEMU ignores these bitmaps."},
    {"ext/bitmaps-missing", Severity::corruption, Remedy::safe,
     "Autoclear bit 0 vouches for bitmaps, but the image has no bitmaps extension.",
     "Header, bytes 88-95, bit 0: 'it is an error'",
     "Bitmaps were lost, or never there. The guest's disk is not affected.",
     "Begin the next incremental backup with a full one. QEMU clears the bit when it writes to the image."},
    {"ext/luks-missing", Severity::corruption, Remedy::none,
     "The image is encrypted with LUKS, but names no place for its keys.",
     "Full disk encryption header pointer",
     "QEMU refuses to open the image. The keys may still be in the file, but nothing says where.",
     kLuksAdvice},
    {"ext/luks-unexpected", Severity::corruption, Remedy::safe,
     "The image is not encrypted with LUKS, but has a place for LUKS keys.",
     "Full disk encryption header pointer: 'must be absent for other methods'",
     "Either the encryption method in the header is damaged, or the extension is left over.",
     "If the guest's disk reads as noise, the encryption method was lost: keep the file as it is. "
     "Otherwise copy it with 'qemu-img convert -O qcow2 IMAGE NEW'."},
    {"ext/luks-length", Severity::corruption, Remedy::none,
     "The pointer to the LUKS header, or the LUKS header that it claims, has an impossible length.",
     "Full disk encryption header pointer; 32 clusters are a QEMU limit",
     "Part of the key material may be out of reach, or be taken for free space and be overwritten.",
     kLuksAdvice},
    {"ext/luks-unaligned", Severity::corruption, Remedy::none,
     "The LUKS header does not begin at a cluster.",
     "Full disk encryption header pointer, bytes 0-7",
     "The keys cannot be found, so that the guest's data cannot be decrypted.",
     kLuksAdvice},
    {"ext/luks-outside", Severity::corruption, Remedy::none,
     "The LUKS header lies on the image's own header or does not lie inside the file.",
     "Full disk encryption header pointer",
     "The keys cannot be found, so that the guest's data cannot be decrypted.",
     kLuksAdvice},
    {"ext/data-file-name-unexpected", Severity::corruption, Remedy::choice,
     "The image names an external data file, but does not have the feature bit for one.",
     "Header, bytes 72-79, bit 2",
     "If the bit was lost, the guest's data lies in the other file and this image shows the wrong "
     "content; otherwise the name is left over.",
     "Find out whether the image was made with a data file. If it was, do not use the image as it is; "
     "otherwise the name does no harm."},
    {"ext/data-file-name-empty", Severity::corruption, Remedy::choice,
     "The name of the external data file is empty.",
     "Header extensions, external data file name",
     "The guest's data lies in another file, and nothing says in which.",
     kDataFileNameAdvice},
    {"ext/data-file-name-nul", Severity::corruption, Remedy::choice,
     "The name of the external data file has a zero byte in it.",
     "String header extensions: not terminated by zero bytes",
     "Programs read different names from it, and may open different files.",
     kDataFileNameAdvice},
    // L1 tables, of the running disk and of snapshots.
    {"l1/reserved-bits", Severity::corruption, Remedy::safe,
     "Reserved bits of an L1 entry are set.",
     "Cluster mapping, L1 table entry, bits 0-8 and 56-62",
     "The entry was damaged, or written by an unknown program: what it leads to may be wrong.",
     kRepairAdvice},
    {"l1/unaligned", Severity::corruption, Remedy::lossy,
     "An L1 entry names an L2 table that does not begin at a cluster.",
     "Cluster mapping, L1 table entry, bits 9-55",
     "The whole guest range of this entry cannot be read.",
     kLostRangeAdvice},
    {"l1/outside", Severity::corruption, Remedy::lossy,
     "An L1 entry names an L2 table past the end of the file.",
     "Cluster mapping, L1 table entry, bits 9-55",
     "The whole guest range of this entry is lost or cannot be found. QEMU treats it as never written, "
     "without an error.",
     kLostRangeAdvice},
    {"l1/not-l2", Severity::corruption, Remedy::lossy,
     "An L1 entry names a cluster that is known to hold something else than an L2 table.",
     "Cluster mapping, L1 table entry",
     "The guest range of this entry is mapped by bytes that mean something else: the guest reads wrong "
     "data there, and writing destroys both.",
     kLostRangeAdvice},
    {"l1/shared", Severity::corruption, Remedy::choice,
     "Two entries of one L1 table name the same L2 table.",
     "Cluster mapping",
     "Two ranges of the guest's disk show the same data. One of them is wrong, and writing to one changes "
     "the other.",
     kWrongRangeAdvice},
    {"l1/copied", Severity::corruption, Remedy::safe,
     "The COPIED flag of an L1 entry does not agree with the refcount of its L2 table.",
     "Cluster mapping, L1 table entry, bit 63",
     "The guest reads the right data. Writing may change a snapshot, or copy a table without need.",
     kRefcountAdvice},
    {"l1/past-end", Severity::notice, Remedy::none,
     "The L1 table maps something beyond the end of the guest's disk, and there is no saved VM state that "
     "would need it.",
     "Snapshots: VM state lies behind the disk",
     "Space that the guest cannot reach, for example after the disk was made smaller. It does no harm.",
     kNothingAdvice},
    // L2 tables.
    {"l2/reserved-bits", Severity::corruption, Remedy::safe,
     "Reserved bits of an L2 entry are set.",
     "Cluster mapping, standard and compressed cluster descriptor",
     "The entry was damaged, or written by an unknown program: its data may be wrong.",
     kRepairAdvice},
    {"l2/unaligned", Severity::corruption, Remedy::lossy,
     "The host offset in an L2 entry does not begin at a cluster.",
     "Cluster mapping, standard cluster descriptor, bits 9-55",
     "The data of this guest range cannot be found. QEMU returns an error for it and marks the image "
     "corrupt.",
     kLostRangeAdvice},
    {"l2/outside", Severity::corruption, Remedy::lossy,
     "An L2 entry names a host cluster past the end of the file.",
     "Cluster mapping, standard cluster descriptor",
     "The data of this guest range is not in the file. QEMU reads zeros there, without an error.",
     kLostRangeAdvice},
    {"l2/offset-zero", Severity::corruption, Remedy::lossy,
     "An L2 entry has the COPIED flag, but host offset 0, where the header is.",
     "Cluster mapping, standard cluster descriptor: offset 0 only with an external data file",
     "The place of this guest range's data was lost.",
     kLostRangeAdvice},
    {"l2/cross-linked", Severity::corruption, Remedy::choice,
     "Two guest clusters of one disk share a host cluster.",
     "Host cluster management; Cluster mapping",
     "At least one of the two guest ranges shows data of the other, and writing to one changes the other.",
     kWrongRangeAdvice},
    {"l2/overlaps-metadata", Severity::corruption, Remedy::choice,
     "A cluster of guest data is also a cluster of the image's own tables.",
     "Host cluster management",
     "The guest reads parts of a table as its data. When it writes there, it destroys the table.",
     "Do not start a guest from the image: the next write can destroy much more. Do not run 'qemu-img "
     "check -r': it only raises the refcount. Restore the guest ranges that are listed from a backup."},
    {"l2/copied", Severity::corruption, Remedy::safe,
     "The COPIED flag of an L2 entry does not agree with the refcount of its cluster.",
     "Cluster mapping, L2 table entry, bit 63",
     "The guest reads the right data. Writing may change a snapshot, or copy a cluster without need.",
     kRefcountAdvice},
    {"l2/compressed-copied", Severity::corruption, Remedy::safe,
     "The COPIED flag is set for a compressed cluster.",
     "Cluster mapping, L2 table entry, bit 63",
     "The guest reads the right data: the flag has no meaning for compressed clusters.",
     kRepairAdvice},
    {"l2/compressed-outside", Severity::corruption, Remedy::lossy,
     "A compressed cluster lies past the end of the file.",
     "Cluster mapping, compressed cluster descriptor",
     "The data of this guest range is not in the file. QEMU returns an error for it.",
     kLostRangeAdvice},
    {"l2/compressed-undecodable", Severity::corruption, Remedy::lossy,
     "A compressed cluster does not decode to a whole cluster (examined with --deep).",
     "Header, byte 104; Cluster mapping, compressed cluster descriptor",
     "The data of this guest range is damaged. QEMU returns an error for it.",
     kLostRangeAdvice},
    {"l2/past-end", Severity::notice, Remedy::safe,
     "A cluster is allocated beyond the end of the guest's disk, and is not VM state.",
     "Snapshots: VM state lies behind the disk",
     "Space that the guest cannot reach, for example after the disk was made smaller. It does no harm.",
     kNothingAdvice},
    {"l2/subcluster-conflict", Severity::corruption, Remedy::choice,
     "A subcluster is marked both as allocated and as zero.",
     "Extended L2 Entries, subcluster allocation bitmap",
     "It is not certain whether the guest should read data or zeros there. QEMU returns an error.",
     kLostRangeAdvice},
    {"l2/subcluster-without-cluster", Severity::corruption, Remedy::lossy,
     "Subclusters are marked as allocated, but the entry names no host cluster.",
     "Extended L2 Entries, subcluster allocation bitmap, bits 0-31",
     "The place of this guest range's data was lost.",
     kLostRangeAdvice},
    {"l2/subcluster-on-compressed", Severity::corruption, Remedy::safe,
     "A compressed cluster has a subcluster bitmap.",
     "Extended L2 Entries: reserved for compressed clusters",
     "The guest reads the right data: the bitmap is not used for compressed clusters.",
     kRepairAdvice},
    {"l2/zero-bit-extended", Severity::corruption, Remedy::safe,
     "The zero flag of version 3 is set in an image with extended L2 entries.",
     "Cluster mapping, standard cluster descriptor, bit 0",
     "The flag has no meaning here; the subcluster bitmap decides. Programs may differ in what they read.",
     kRepairAdvice},
    // External data files.
    {"data-file/offset-mismatch", Severity::corruption, Remedy::choice,
     "With an external data file, an entry's host offset is not its guest offset.",
     "Header, bytes 72-79, bit 2: 'must match the guest offset'",
     "QEMU returns an error when the guest reads there, and a write may go into the data of another guest "
     "range.",
     "Do not start a guest from the image. Compare the guest ranges that are listed with a backup."},
    {"data-file/not-copied", Severity::corruption, Remedy::safe,
     "With an external data file, an allocated entry does not have the COPIED flag.",
     "Cluster mapping, L2 table entry, bit 63: 'should be 1 for all allocated clusters'",
     "The guest reads the right data. A program that writes may take the cluster for one that it shares "
     "with a snapshot.",
     "Do not write to the image before it is repaired. 'qemu-img convert -O qcow2 IMAGE NEW' copies the "
     "guest's disk into a new image."},
    {"data-file/zero-offset", Severity::notice, Remedy::safe,
     "Guest cluster 0 has host offset 0 without the COPIED flag: it counts as unallocated.",
     "Cluster mapping, standard cluster descriptor, bits 9-55",
     "This is legal. But a lost flag looks the same: then the first cluster of the disk, with the "
     "partition table, reads as zeros.",
     "If the guest does not find its partition table, read the first cluster from the data file."},
    {"data-file/compressed", Severity::corruption, Remedy::safe,
     "An image with an external data file has a compressed cluster.",
     "Header, bytes 72-79, bit 2: compressed clusters are not supported",
     "The data of this guest range is not in the data file, where it belongs. QEMU returns an error for "
     "it.",
     "Keep the file as it is: the data can be decoded from it. Do not write to the image until then."},
    {"data-file/snapshots", Severity::corruption, Remedy::metadata,
     "An image with an external data file has internal snapshots.",
     "Header, bytes 72-79, bit 2: internal snapshots are not supported",
     "The snapshots do not hold what the disk was: the data file is overwritten in place.",
     "Copy the running disk with 'qemu-img convert -O qcow2 IMAGE NEW'. Do not go back to any of the "
     "snapshots."},
    {"data-file/raw-without-bit", Severity::corruption, Remedy::safe,
     "The raw external data bit is set without the external data file bit.",
     "Header, bytes 88-95, bit 1",
     "The bit has no meaning without a data file. If the data file bit was lost, this image shows the "
     "wrong content.",
     "If the image was made with a data file, keep it as it is. Otherwise copy it with 'qemu-img convert "
     "-O qcow2 IMAGE NEW'."},
    {"data-file/raw-with-backing", Severity::corruption, Remedy::choice,
     "The data file is said to be a raw image of its own, but the image has a backing file.",
     "Header, bytes 8-15 and 88-95, bit 1: they conflict",
     "What the guest never wrote is in the backing file, so that the data file read on its own has wrong "
     "content.",
     "Let nothing read the data file as a raw image. 'cowvet-repair IMAGE' takes the promise back; with "
     "'--choose data-file/raw-with-backing=drop-backing' it drops the backing file, where every cluster "
     "is allocated."},
    {"data-file/raw-unmapped", Severity::corruption, Remedy::choice,
     "The data file is said to be a raw image of its own and has data where the image maps none.",
     "Header, bytes 88-95, bit 1: 'can be read as a consistent standalone raw image'",
     "The guest reads zeros, or the backing file, where the raw data file has data. One of the two is "
     "wrong.",
     kRawAdvice},
    {"data-file/raw-zero-differs", Severity::corruption, Remedy::choice,
     "The data file is said to be a raw image of its own, but is not zero where the image says that the "
     "guest reads zeros.",
     "Header, bytes 88-95, bit 1: 'can be read as a consistent standalone raw image'",
     "The guest reads zeros where the raw data file has data, for example old data that was discarded. "
     "One of the two is wrong.",
     kRawAdvice},
    {"data-file/missing", Severity::unchecked, Remedy::none,
     "The external data file cannot be opened.",
     "Header, bytes 72-79, bit 2",
     "The guest's data is in that file. The metadata was examined, the data was not.",
     kDataFileNameAdvice},
    {"data-file/not-examined", Severity::notice, Remedy::none,
     "The external data file has a name that is not followed unasked, because it leaves the image's "
     "directory.",
     "External data file name; not followed for safety: an image may come from a stranger",
     "The metadata was examined, the data file was not.",
     "If the name is right, check again with '--data-file FILE', or with '--follow DIRECTORY' for every "
     "name below it."},
    {"data-file/short", Severity::corruption, Remedy::safe,
     "The external data file is shorter than the image's use of it.",
     "Header, bytes 72-79, bit 2; with the raw bit the file has the virtual size",
     "The end of the guest's disk is missing from the file and reads as zeros, or data was cut off.",
     "Make sure that the data file is the right one and was copied completely, before anything is written."},
    {"data-file/long", Severity::notice, Remedy::none,
     "The raw data file is longer than the guest's disk.",
     "Header, bytes 88-95, bit 1",
     "A program that reads the data file as a raw image sees a longer disk than the guest.",
     "Make sure that the data file is the right one."},
    {"data-file/is-image", Severity::corruption, Remedy::none,
     "The external data file is the image itself, or its backing file.",
     "Header, bytes 72-79, bit 2",
     "When the guest writes, it overwrites the image's own tables or the base of its data.",
     "Do not start a guest from the image. Find out which data file belongs to it."},
    {"data-file/name-missing", Severity::notice, Remedy::none,
     "The image has an external data file and does not say which.",
     "External data file name: 'may be present'",
     "This is legal: whoever opens the image has to know the file.",
     kDataFileNameAdvice},
    {"data-file/name-unsafe", Severity::notice, Remedy::none,
     "The name of the data file is absolute, leaves the image's directory, or is a URL, a device or a "
     "JSON description.",
     "External data file name; a matter of safety, no violation",
     "Opening the image opens that file, wherever it is. In an image from a stranger it can be a way to "
     "read files of the host.",
     "Make sure that the name is intended before the image is opened by anything."},
    {"data-file/name-relative", Severity::notice, Remedy::none,
     "The name of the data file is relative.",
     "QEMU limit: it looks from its working directory, not from the image's",
     "QEMU finds the file only when it runs in the right directory, and may find another one of that name.",
     "Start QEMU in the directory of the image, or name the data file on its command line."},
    {"data-file/shared", Severity::corruption, Remedy::none,
     "Another image that was checked at the same time uses the same data file.",
     "Header, bytes 72-79, bit 2: guest clusters are stored in the data file",
     "Two images that write to one data file destroy each other's data.",
     "Find out which image the data file belongs to, and do not start a guest from the other one."},
    // Refcounts.
    {"refcount/leak", Severity::leak, Remedy::safe,
     "Clusters are marked as in use, and nothing refers to them.",
     "Host cluster management",
     "Alone, this only wastes space. Next to other damage, these clusters may hold data that lost its "
     "reference.",
     kSpaceAdvice},
    {"refcount/orphan-mapping", Severity::corruption, Remedy::choice,
     "Clusters that nothing refers to hold what looks like a table of guest data, or may belong to a "
     "structure that could not be examined.",
     "Cluster mapping; Host cluster management",
     "This is most likely lost data: what led to it was damaged. Other checkers call it "
     "leaked space and free it.",
     "Do not run 'qemu-img check -r', which frees and erases these clusters. Keep a copy of the file."},
    {"refcount/too-low", Severity::corruption, Remedy::safe,
     "A cluster is used more often than its refcount says.",
     "Host cluster management",
     "The guest reads the right data. Writing may overwrite clusters that are in use, or a snapshot.",
     kRefcountAdvice},
    {"refcount/too-high", Severity::leak, Remedy::safe,
     "A cluster is used less often than its refcount says.",
     "Host cluster management",
     "Writing copies the cluster without need, and the space is never freed. No data is affected.",
     kSpaceAdvice},
    {"refcount/overflow", Severity::corruption, Remedy::safe,
     "A cluster is used more often than the image's refcounts can count.",
     "Host cluster management; Header, bytes 96-99",
     "The guest reads the right data. Deleting snapshots may free clusters that are in use.",
     kRepairAdvice},
    {"refcount/block-reserved-bits", Severity::corruption, Remedy::safe,
     "Reserved bits of a refcount table entry are set.",
     "Host cluster management, refcount table entry, bits 0-8",
     "The entry was damaged, or written by an unknown program: the refcounts behind it may be wrong.",
     kRefcountAdvice},
    {"refcount/block-unaligned", Severity::corruption, Remedy::safe,
     "A refcount block does not begin at a cluster.",
     "Host cluster management, refcount table entry",
     "Which of the clusters that it counts are in use is unknown. The guest's data is not affected until "
     "something is written.",
     kRefcountAdvice},
    {"refcount/block-outside", Severity::corruption, Remedy::safe,
     "A refcount block lies past the end of the file.",
     "Host cluster management, refcount table entry",
     "Which of the clusters that it counts are in use is unknown. The guest's data is not affected until "
     "something is written.",
     kRefcountAdvice},
    {"refcount/block-shared", Severity::corruption, Remedy::safe,
     "Two refcount table entries name the same refcount block.",
     "Host cluster management",
     "The counts of two parts of the file overwrite each other. The guest's data is not affected until "
     "something is written.",
     kRefcountAdvice},
    {"refcount/block-overlap", Severity::corruption, Remedy::safe,
     "A refcount block lies on another structure of the image.",
     "Host cluster management",
     "Counts and the other structure overwrite each other as soon as something is written.",
     kRefcountAdvice},
    {"refcount/table-too-short", Severity::corruption, Remedy::safe,
     "Clusters are in use that no refcount block counts.",
     "Host cluster management",
     "The guest reads the right data. Writing may overwrite these clusters, because they count as free.",
     kRefcountAdvice},
    // The file.
    {"overlap/metadata", Severity::corruption, Remedy::choice,
     "Two structures of the image claim the same cluster.",
     "Host cluster management",
     "At least one of the two was overwritten by the other. What depends on it may be wrong.",
     "Do not write to the image. Keep a copy of the file, and restore what depends on the structures that "
     "are named from a backup."},
    {"file/truncated", Severity::corruption, Remedy::lossy,
     "Structures of the image lie past the end of the file.",
     "Host cluster management",
     "The file was cut off, for example by a copy that was interrupted or a disk that was full. What is "
     "missing is lost.",
     "Copy the file again from where it came from, or restore it from a backup."},
    {"file/trailing", Severity::notice, Remedy::none,
     "The file goes on behind the last cluster that is in use.",
     "Host cluster management",
     "The bytes at the end belong to nothing. They do no harm.",
     kNothingAdvice},
    {"file/unreadable", Severity::unchecked, Remedy::none,
     "The system returned an error when a part of the file was read.",
     "No clause: the storage below the image failed",
     "What lies there is unknown, and what it leads to was not examined.",
     "See to the storage first: look at the system's log, and copy the file with a tool that goes on "
     "after errors. Then check the copy."},
    {"file/changed", Severity::unchecked, Remedy::none,
     "The file changed while it was examined (--evidence).",
     "No clause: another program wrote to the file",
     "What was found is true neither of what the file was nor of what it is.",
     "Find out what writes to the file, keep it from doing so, and examine the file again."},
    // Snapshots.
    {"snapshot/entry-truncated", Severity::corruption, Remedy::safe,
     "The snapshot table ends inside an entry.",
     "Snapshots, snapshot table entry",
     "This snapshot and those behind it cannot be found. The running disk is not affected.",
     kSnapshotTableAdvice},
    {"snapshot/extra-data-short", Severity::corruption, Remedy::safe,
     "The entry of a snapshot lacks fields that version 3 demands.",
     "Snapshots, bytes 40-55: 'at least up to byte 55'",
     "The size of the disk at the time of the snapshot is unknown; programs take the present size.",
     kSnapshotAdvice},
    {"snapshot/extra-data-long", Severity::corruption, Remedy::safe,
     "The extra data of a snapshot is longer than 1024 bytes.",
     "QEMU limit: 1024 bytes (Snapshots, bytes 36-39)",
     "QEMU refuses to open the image. Most likely the length is damaged.",
     kSnapshotTableAdvice},
    {"snapshot/l1-unaligned", Severity::corruption, Remedy::metadata,
     "The L1 table of a snapshot does not begin at a cluster.",
     "Snapshots, bytes 0-7",
     "The content of this snapshot cannot be found.",
     kSnapshotAdvice},
    {"snapshot/l1-outside", Severity::corruption, Remedy::metadata,
     "The L1 table of a snapshot lies on the header or does not lie inside the file.",
     "Snapshots, bytes 0-11",
     "The content of this snapshot cannot be found.",
     kSnapshotAdvice},
    {"snapshot/l1-too-large", Severity::corruption, Remedy::metadata,
     "The L1 table of a snapshot is larger than 32 MiB.",
     "QEMU limit: 32 MiB (Snapshots, bytes 8-11)",
     "QEMU cannot load or delete this snapshot. Most likely the size is damaged.",
     kSnapshotAdvice},
    {"snapshot/duplicate-id", Severity::corruption, Remedy::safe,
     "Two snapshots have the same unique id.",
     "Snapshots, unique ID string",
     "Programs that look for the id find the wrong snapshot, and may delete or load it.",
     "Do not delete or load snapshots by id before it is repaired."},
    {"snapshot/duplicate-name", Severity::notice, Remedy::none,
     "Two snapshots have the same name.",
     "Snapshots, name: it need not be unique",
     "Programs that look for the name take the first of the two.",
     "Use the id to name one of these snapshots."},
    {"snapshot/size-beyond-l1", Severity::corruption, Remedy::metadata,
     "The L1 table of a snapshot is too short for the size of its disk.",
     "Snapshots, bytes 8-11 and 48-55",
     "The end of the disk in this snapshot cannot be found.",
     kSnapshotAdvice},
    // Bitmaps.
    {"bitmap/directory-size", Severity::corruption, Remedy::safe,
     "The bitmap directory is not as long as its entries together.",
     "Bitmaps extension, bytes 8-15",
     "QEMU refuses to use the bitmaps, and may refuse the image. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/entry-truncated", Severity::corruption, Remedy::safe,
     "The bitmap directory ends inside an entry.",
     "Bitmap directory",
     "This bitmap and those behind it cannot be found. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/padding", Severity::corruption, Remedy::safe,
     "The padding of a bitmap directory entry is not zero.",
     "Bitmap directory: 'all bytes of the padding must be zero'",
     "No data is affected, but a program may refuse the directory.",
     kBitmapAdvice},
    {"bitmap/table-unaligned", Severity::corruption, Remedy::metadata,
     "A bitmap table does not begin at a cluster.",
     "Bitmap directory, bytes 0-7",
     "The content of this bitmap cannot be found. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/table-outside", Severity::corruption, Remedy::metadata,
     "A bitmap table lies on the header or does not lie inside the file.",
     "Bitmap directory, bytes 0-11",
     "The content of this bitmap cannot be found. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/table-size", Severity::corruption, Remedy::metadata,
     "A bitmap table does not fit the size of the guest's disk.",
     "Bitmap table; Bitmap data; the greatest size is a QEMU limit",
     "The bitmap does not cover the disk as it should: an incremental backup made from it would miss data.",
     kBitmapAdvice},
    {"bitmap/flags", Severity::corruption, Remedy::metadata,
     "Reserved flags of a bitmap are set.",
     "Bitmap directory, bytes 12-15: 'bits 3 - 31 are reserved'; QEMU also refuses bit 2",
     "QEMU refuses to use the bitmaps of the image.",
     kBitmapAdvice},
    {"bitmap/type", Severity::corruption, Remedy::metadata,
     "A bitmap is of a kind other than 'dirty tracking'.",
     "Bitmap directory, byte 16",
     "What the bitmap says is unknown. QEMU refuses to use the bitmaps of the image.",
     kBitmapAdvice},
    {"bitmap/granularity", Severity::corruption, Remedy::metadata,
     "The granularity of a bitmap is impossible or outside 512 bytes to 2 GiB.",
     "Bitmap directory, byte 17; 9 to 31 bits are a QEMU limit",
     "What the bits of the bitmap stand for is unknown, or QEMU cannot use it.",
     kBitmapAdvice},
    {"bitmap/name-empty", Severity::corruption, Remedy::metadata,
     "A bitmap has no name.",
     "Bitmap directory, bytes 18-19: 'must be non-zero'",
     "The bitmap cannot be named to use it or to remove it.",
     kBitmapAdvice},
    {"bitmap/name-long", Severity::corruption, Remedy::metadata,
     "The name of a bitmap is longer than 1023 bytes.",
     "QEMU limit: 1023 bytes (Bitmap directory, bytes 18-19)",
     "QEMU refuses to use the bitmaps of the image.",
     kBitmapAdvice},
    {"bitmap/name-duplicate", Severity::corruption, Remedy::metadata,
     "Two bitmaps have the same name.",
     "Bitmap directory: 'must be unique'",
     "An incremental backup may take the wrong one and miss data.",
     kBitmapAdvice},
    {"bitmap/extra-data", Severity::corruption, Remedy::metadata,
     "A bitmap has extra data, which no version of the format defines.",
     "Bitmap directory, bytes 20-23",
     "A program that does not know the extra data must not use the bitmap. QEMU refuses it.",
     kBitmapAdvice},
    {"bitmap/in-use", Severity::notice, Remedy::metadata,
     "A bitmap is marked as in use: it was not saved when the image was closed.",
     "Bitmap directory, bytes 12-15, bit 0",
     "After a crash the bitmap is out of date: an incremental backup made from it would miss data. It is "
     "also marked while the image is in use.",
     "If no guest uses the image, remove the bitmap with 'qemu-img bitmap --remove IMAGE NAME' and begin "
     "the next incremental backup with a full one."},
    {"bitmap/entry-reserved", Severity::corruption, Remedy::safe,
     "Reserved bits of a bitmap table entry are set.",
     "Bitmap table, bits 0-8 and 56-63",
     "QEMU refuses to load the bitmap. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/entry-unaligned", Severity::corruption, Remedy::metadata,
     "A part of a bitmap does not begin at a cluster.",
     "Bitmap table, bits 9-55",
     "This part of the bitmap cannot be found. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/entry-outside", Severity::corruption, Remedy::metadata,
     "A part of a bitmap lies past the end of the file.",
     "Bitmap table, bits 9-55",
     "This part of the bitmap is lost. The guest's disk is not affected.",
     kBitmapAdvice},
    {"bitmap/tail-bits", Severity::corruption, Remedy::safe,
     "Bits behind the end of the guest's disk are set in a bitmap (examined with --deep).",
     "Bitmap data: unused tail bits 'must be zero'",
     "No data is affected. A program that counts the bits comes to a wrong number.",
     kBitmapAdvice},
    // Encryption.
    {"luks/header", Severity::corruption, Remedy::none,
     "The LUKS header is damaged: it is not a LUKS1 header, or key material lies outside its clusters.",
     "Full disk encryption header pointer; LUKS1 on-disk format",
     "Some or all passwords no longer open the image. Without a key the guest's data cannot be decrypted.",
     kLuksAdvice},
    // With --policy only: may this image be booted here?
    {"policy/not-qcow2", Severity::corruption, Remedy::none,
     "The file is not a qcow2 image, or is an image of another format as well.",
     "The caller's policy (--policy): the content must be of the declared format, and of no other",
     "Programs that disagree about what the file is show different content, which attackers use.",
     kPolicyAdvice},
    {"policy/backing-file", Severity::corruption, Remedy::none,
     "The image has a backing file that the policy does not allow, or that is missing, damaged, of another "
     "format than declared, or part of a loop.",
     "The caller's policy (--policy): 'allow backing-file DIRECTORY'",
     "A guest reads whatever file the image names: an image from a stranger can name any file of the host.",
     kPolicyAdvice},
    {"policy/data-file", Severity::corruption, Remedy::none,
     "The image has an external data file, or the name or the raw bit of one, and the policy does not allow "
     "it; or the data file could not be examined.",
     "The caller's policy (--policy): 'allow data-file DIRECTORY'",
     "A guest reads and writes whatever file the image names: an image from a stranger can name any file of "
     "the host.",
     kPolicyAdvice},
    {"policy/name-unsafe", Severity::corruption, Remedy::none,
     "The image names a file by an address of a protocol, with control characters, or by a path that leads "
     "out of where names are allowed.",
     "The caller's policy (--policy): only plain paths below the directories that it allows",
     "QEMU may open something else than a file of this image: a device, a server, a file of the host.",
     kPolicyAdvice},
    {"policy/encrypted", Severity::corruption, Remedy::none,
     "The image is encrypted and the policy does not allow it; AES is never allowed.",
     "The caller's policy (--policy): 'allow encryption', for LUKS only",
     "The content cannot be examined without the key. QEMU's AES encryption is broken and runs no guest.",
     kPolicyAdvice},
    {"policy/unknown-feature", Severity::corruption, Remedy::none,
     "The image uses an incompatible feature that this program does not know.",
     "The caller's policy (--policy); Header, bytes 72-79",
     "What the image makes QEMU do cannot be judged.",
     kPolicyAdvice},
    {"policy/dirty", Severity::corruption, Remedy::none,
     "The image was not closed cleanly and the policy does not allow it.",
     "The caller's policy (--policy): 'allow dirty'; Header, bytes 72-79, bit 0",
     "QEMU rebuilds the refcounts when it opens the image, which takes time and writes to it.",
     kPolicyAdvice},
    {"policy/snapshot-present", Severity::corruption, Remedy::none,
     "The image has internal snapshots and the policy does not allow it.",
     "The caller's policy (--policy): 'allow snapshots'",
     "Snapshots can hold other disks than the one that was examined, and the state of a machine.",
     kPolicyAdvice},
    {"policy/oversized", Severity::corruption, Remedy::none,
     "The guest's disk or the file is larger than the policy allows.",
     "The caller's policy (--policy): 'limit virtual-size SIZE', 'limit file-size SIZE'",
     "The image can fill more of the host's storage than was granted.",
     kPolicyAdvice},
};
// clang-format on

}  // namespace cowvet
