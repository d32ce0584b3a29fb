// The qcow2 header (specification, "Header", "Additional fields", "Header padding").
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "checker/format/endian.h"

namespace cowvet {

inline constexpr std::uint32_t kMagic = 0x514649fb;  // "QFI\xfb"
inline constexpr std::uint32_t kHeaderV2Bytes = 72;
inline constexpr std::uint32_t kHeaderV3Bytes = 104;          // the least a version 3 header has
inline constexpr std::uint32_t kCompressionTypeOffset = 104;  // first additional field
inline constexpr std::uint32_t kHeaderKnownBytes = 112;       // with compression_type and its padding

// incompatible_features
inline constexpr std::uint64_t kIncompatibleDirty = 1u << 0;
inline constexpr std::uint64_t kIncompatibleCorrupt = 1u << 1;
inline constexpr std::uint64_t kIncompatibleDataFile = 1u << 2;
inline constexpr std::uint64_t kIncompatibleCompression = 1u << 3;
inline constexpr std::uint64_t kIncompatibleExtendedL2 = 1u << 4;
inline constexpr std::uint64_t kIncompatibleKnown = 0x1f;
// compatible_features
inline constexpr std::uint64_t kCompatibleLazyRefcounts = 1u << 0;
inline constexpr std::uint64_t kCompatibleKnown = 0x1;
// autoclear_features
inline constexpr std::uint64_t kAutoclearBitmaps = 1u << 0;
inline constexpr std::uint64_t kAutoclearRawData = 1u << 1;
inline constexpr std::uint64_t kAutoclearKnown = 0x3;

enum class CryptMethod : std::uint32_t { none = 0, aes = 1, luks = 2 };
enum class CompressionType : std::uint8_t { deflate = 0, zstd = 1 };

// As on disk, up to and with the first additional field and its padding.
struct RawHeader {
  Be32 magic;
  Be32 version;
  Be64 backing_file_offset;
  Be32 backing_file_size;
  Be32 cluster_bits;
  Be64 size;
  Be32 crypt_method;
  Be32 l1_size;
  Be64 l1_table_offset;
  Be64 refcount_table_offset;
  Be32 refcount_table_clusters;
  Be32 nb_snapshots;
  Be64 snapshots_offset;
  // version 3 from here
  Be64 incompatible_features;
  Be64 compatible_features;
  Be64 autoclear_features;
  Be32 refcount_order;
  Be32 header_length;
  // additional fields
  std::uint8_t compression_type;
  std::uint8_t padding[7];
};
static_assert(sizeof(RawHeader) == kHeaderKnownBytes);
static_assert(offsetof(RawHeader, incompatible_features) == kHeaderV2Bytes);
static_assert(offsetof(RawHeader, compression_type) == kCompressionTypeOffset);

// The header in the machine's own numbers. Version 2 has the values that the specification assumes for it
// (no features, refcount_order 4, header_length 72). Nothing here has been judged: see analysis/load_header.
struct Header {
  std::uint32_t version = 3;
  std::uint64_t backing_file_offset = 0;
  std::uint32_t backing_file_size = 0;
  std::uint32_t cluster_bits = 16;
  std::uint64_t size = 0;  // virtual disk size in bytes
  std::uint32_t crypt_method = 0;
  std::uint32_t l1_size = 0;  // entries
  std::uint64_t l1_table_offset = 0;
  std::uint64_t refcount_table_offset = 0;
  std::uint32_t refcount_table_clusters = 0;
  std::uint32_t nb_snapshots = 0;
  std::uint64_t snapshots_offset = 0;
  std::uint64_t incompatible_features = 0;
  std::uint64_t compatible_features = 0;
  std::uint64_t autoclear_features = 0;
  std::uint32_t refcount_order = 4;
  std::uint32_t header_length = kHeaderV3Bytes;
  std::uint8_t compression_type = 0;  // 0 where the field is not present

  bool operator==(const Header&) const = default;

  bool has_data_file() const { return incompatible_features & kIncompatibleDataFile; }
  bool has_extended_l2() const { return incompatible_features & kIncompatibleExtendedL2; }
  bool is_dirty() const { return incompatible_features & kIncompatibleDirty; }
  bool is_corrupt() const { return incompatible_features & kIncompatibleCorrupt; }
  bool is_raw_data() const { return autoclear_features & kAutoclearRawData; }
  bool has_bitmaps_bit() const { return autoclear_features & kAutoclearBitmaps; }
};

enum class HeaderError { truncated, magic, version };

// Decodes the header from the first bytes of an image. `bytes` may be longer than the header; it must hold
// 72 bytes for version 2 and 104 for version 3 (HeaderError::truncated otherwise). An additional field is
// taken only where header_length says that it is present.
std::expected<Header, HeaderError> decode_header(std::span<const std::byte> bytes);

// Encodes the known fields: 72 bytes for version 2; for version 3, header_length bytes but at most 112 (what
// lies behind stays the caller's). `out` must be as long; returns the number of bytes written.
std::size_t encode_header(const Header& header, std::span<std::byte> out);

}  // namespace cowvet
