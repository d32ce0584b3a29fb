// The journal: what a repair is going to change, on disk before the first change is made.
//
//   journal := header change* padding mark*
//   record  := kind:u32 length:u32 checksum:u64 payload          (length: of the payload, in bytes)
//
//   header  "CWVJ" id:u64 boot_id:16 file(image) has_data_file:u8 [file(data file)] note:string
//   file    path:string has_identity:u8 device:u64 inode:u64 old_size:u64 new_size:u64 bound_hash:u64
//   string  length:u32 bytes
//   change  "CHNG" target:u8 phase:u8 offset:u64 old_bytes new_bytes            (one half of the rest each)
//   mark    "MARK" id:u64 stage:u8 changes:u64 digest:u64, then zeros up to the end of its block
//
// All numbers are big-endian. The checksum is the XXH3 of payload, seeded with the id of the journal plus the
// number of the record, so that neither a stale record nor a record out of place is ever taken for a good
// one; header and marks carry the id themselves, and are seeded without it. Padding is zeros.
//
// Each mark fills a block of 4096 bytes of its own at a multiple of 4096: a torn write of the next one cannot
// harm it. The first mark is `sealed`; it is written once everything before it has been synced, and the image
// is touched once it has been synced too. `digest` chains the checksums of all records: XXH3 of each, seeded
// with the digest of those before it.
//
// Example: one change of one block, sealed and committed
//
//   0x0000  CWVJ ...   the image, 1 MiB before and after
//   0x00a3  CHNG ...   image, pointers, 0x30000, 4096 old and 4096 new bytes
//   0x20bd  zeros
//   0x3000  MARK ...   sealed, 1 change
//   0x4000  MARK ...   committed, 1 change
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "repair/changes.h"
#include "repair/journal_storage.h"

namespace cowvet {

enum class JournalStage : std::uint8_t {
  unsealed,   // never written: the image has not been touched
  sealed,     // from here on the image may be in between; it is to become new
  back,       // it is to become old
  committed,  // it is new, all but the mark in its header
};

// What a mark says of the records before the first mark.
struct JournalSeal {
  std::uint64_t id = 0;
  std::uint64_t changes = 0;
  std::uint64_t digest = 0;
  bool operator==(const JournalSeal&) const = default;
};

struct Journal {
  std::uint64_t id = 0;
  JournalStorage::BootId boot_id = {};
  Changes changes;
  JournalSeal seal;  // of a journal that was read
  JournalStage stage = JournalStage::unsealed;
  std::uint64_t end_bytes = 0;  // behind the last mark that is valid
  bool has_tail = false;        // something lies behind it
};

// Header, changes and padding, given to `sink` piece by piece. Seal, stage, end and tail play no part. The
// error, a sentence for people, is that of the sink, or says that the bytes of the changes cannot be read.
using JournalSink = std::function<std::expected<void, std::string>(std::span<const std::byte>)>;
std::expected<JournalSeal, std::string> encode_journal(const Journal& journal, const JournalSink& sink);

std::vector<std::byte> encode_mark(const JournalSeal& seal, JournalStage stage);  // one block

// Reads a journal, whatever its bytes are. The bytes of its changes stay where they are: `device` must
// outlive them. A journal that was never sealed has no changes. An error, a sentence for people: it cannot be
// read, or was damaged after it had been sealed.
std::expected<Journal, std::string> read_journal(const Device& device);

}  // namespace cowvet
