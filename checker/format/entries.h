// The 64-bit entries of L1, L2, refcount and bitmap tables (specification, "Cluster mapping", "Extended L2
// Entries", "Host cluster management", "Bitmap table"). Each is a plain number in host byte order with names
// for its bits; what a table holds is decoded with load_big_endian.
#pragma once

#include <cstdint>

namespace cowvet {

inline constexpr std::uint64_t kCopied = std::uint64_t{1} << 63;
inline constexpr std::uint64_t kCompressed = std::uint64_t{1} << 62;
inline constexpr std::uint64_t kOffsetMask = 0x00fffffffffffe00;  // bits 9 to 55

struct L1Entry {
  static constexpr std::uint64_t kReserved = 0x7f000000000001ff;  // bits 0-8 and 56-62
  std::uint64_t raw = 0;

  std::uint64_t l2_offset() const { return raw & kOffsetMask; }  // bytes; 0: unallocated
  bool copied() const { return raw & kCopied; }
  std::uint64_t reserved() const { return raw & kReserved; }
};

struct L2Entry {
  static constexpr std::uint64_t kReserved = 0x3f000000000001fe;  // bits 1-8 and 56-61 of a standard entry
  static constexpr std::uint64_t kZero = 1;
  std::uint64_t raw = 0;

  bool compressed() const { return raw & kCompressed; }
  bool copied() const { return raw & kCopied; }
  bool zero() const { return raw & kZero; }                        // standard entries only
  std::uint64_t host_offset() const { return raw & kOffsetMask; }  // standard entries only; bytes
  std::uint64_t reserved() const { return raw & kReserved; }       // standard entries only
};

// A compressed descriptor: x = 62 - (cluster_bits - 8) bits of offset, then the number of additional sectors.
struct CompressedDescriptor {
  std::uint64_t offset = 0;              // bytes in the image; usually not aligned
  std::uint64_t additional_sectors = 0;  // beyond the sector that holds `offset`

  // The end of the last sector, in bytes; the stream may end earlier.
  std::uint64_t end() const { return (offset / 512 + additional_sectors + 1) * 512; }
  bool operator==(const CompressedDescriptor&) const = default;
};

constexpr unsigned compressed_offset_bits(unsigned cluster_bits) {
  return 62 - (cluster_bits - 8);
}

constexpr CompressedDescriptor decode_compressed(L2Entry entry, unsigned cluster_bits) {
  const unsigned x = compressed_offset_bits(cluster_bits);
  const std::uint64_t descriptor = entry.raw & (kCompressed - 1);
  return {descriptor & ((std::uint64_t{1} << x) - 1), descriptor >> x};
}

constexpr L2Entry encode_compressed(CompressedDescriptor at, unsigned cluster_bits) {
  return {kCompressed | at.additional_sectors << compressed_offset_bits(cluster_bits) | at.offset};
}

// "If cluster_bits is small enough that this field includes bits beyond 55, those upper bits must be 0."
constexpr std::uint64_t compressed_reserved(L2Entry entry, unsigned cluster_bits) {
  return decode_compressed(entry, cluster_bits).offset & ~((std::uint64_t{1} << 56) - 1);
}

// The second half of an extended L2 entry: 32 allocation bits (low), 32 reads-as-zero bits (high).
struct SubclusterBitmap {
  static constexpr unsigned kSubclusters = 32;
  std::uint64_t raw = 0;

  std::uint32_t allocated() const { return static_cast<std::uint32_t>(raw); }
  std::uint32_t zero() const { return static_cast<std::uint32_t>(raw >> 32); }
  std::uint32_t conflict() const { return allocated() & zero(); }
};

struct RefcountTableEntry {
  static constexpr std::uint64_t kReserved = 0x1ff;
  std::uint64_t raw = 0;

  std::uint64_t block_offset() const { return raw & ~kReserved; }  // bytes; 0: all refcounts are 0
  std::uint64_t reserved() const { return raw & kReserved; }
};

struct BitmapTableEntry {
  static constexpr std::uint64_t kReserved = 0xff000000000001fe;
  static constexpr std::uint64_t kAllOnes = 1;  // meaningful only where the offset is 0
  std::uint64_t raw = 0;

  std::uint64_t host_offset() const { return raw & kOffsetMask; }
  std::uint64_t reserved() const { return (raw & kReserved) | (host_offset() != 0 ? raw & kAllOnes : 0); }
};

}  // namespace cowvet
