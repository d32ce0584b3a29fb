// A pack: the bytes of an image, and of its data file, that a report follows from; everything else is left
// out and reads as zeros. Numbers are big-endian.
//
//   pack  = "cowvet pack 1\n" { file } end ;
//   file  = "I" size:u64 { block }            (* the image: first, and once *)
//         | "D" size:u64 { block }            (* its external data file: at most once *)
//         | "S" size:u64 ;                    (* instead of "D": the image itself is named as that; size 0 *)
//   block = "B" offset:u64 length:u32 packed:u32 check:u64 frame ;
//   end   = "E" check:u64 ;
//
// `frame` is one zstd frame of `packed` bytes that holds `length` bytes (1 to 1 MiB) of the file from
// `offset` on; blocks are in the order of the file and do not overlap. The check of a block is the XXH3 (64
// bits) of those bytes, seeded with `offset`; that of the end is the XXH3 of everything before it but the
// frames, so that nothing can be lost between blocks.
//
// Example: an image of 1 MiB of which only the first cluster matters
//
//   "cowvet pack 1\n" "I" 0000000000100000 "B" 0000000000000000 00010000 000001c4 <check> <frame> "E" <check>
//
// A reader trusts nothing: lengths are bounded before anything is allocated, and no more than `length` bytes
// are unpacked.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "checker/device/device.h"

namespace cowvet {

enum class PackedFile : char { image = 'I', data_file = 'D', image_as_data_file = 'S' };

inline constexpr std::uint64_t kPackBlockBytes = 1 << 20;

class PackWriter {
 public:
  explicit PackWriter(std::ostream& out);
  ~PackWriter();
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  // Everything in the device but for zeros.
  void add(PackedFile file, const Device& device);
  void add_image_as_data_file();
  void finish();

 private:
  struct Coder;

  void put_file(PackedFile file, std::uint64_t size_bytes);
  void add_block(std::uint64_t offset, std::span<const std::byte> bytes);
  void put_head(std::span<const std::byte> bytes);

  std::ostream& out_;
  std::unique_ptr<Coder> coder_;
};

// Where a pack is unpacked to. Each call may refuse by an error for people, which ends the unpacking.
struct PackSink {
  std::function<std::expected<void, std::string>(PackedFile file, std::uint64_t size_bytes)> begin;
  std::function<std::expected<void, std::string>(std::uint64_t offset, std::span<const std::byte> bytes)>
      write;
};

// Reads a pack of any origin. Files are no longer than INT64_MAX; of all together at most `most_bytes` are
// written. The error says what is wrong; what was written before is then of no use.
std::expected<void, std::string> read_pack(std::istream& in, std::uint64_t most_bytes, const PackSink& sink);

}  // namespace cowvet
