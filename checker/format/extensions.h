// Header extensions (specification, "Header extensions" and the sections of each type).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checker/format/endian.h"

namespace cowvet {

enum class ExtensionType : std::uint32_t {
  end = 0x00000000,
  backing_format = 0xe2792aca,
  feature_names = 0x6803f857,
  bitmaps = 0x23852875,
  luks = 0x0537be77,  // full disk encryption header pointer
  data_file_name = 0x44415441,
};

struct RawExtensionHead {
  Be32 type;
  Be32 length_bytes;  // of the data, without padding
};
static_assert(sizeof(RawExtensionHead) == 8);

// One extension as found: `offset` is the image offset of its head; `data` points into the caller's buffer.
struct Extension {
  ExtensionType type{};
  std::uint64_t offset = 0;
  std::span<const std::byte> data;

  std::string_view text() const { return {reinterpret_cast<const char*>(data.data()), data.size()}; }
};

// What a walk over the extension area found. `end` is the offset behind the last thing understood: behind the
// end marker, or where the walk had to stop.
struct ExtensionWalk {
  std::vector<Extension> extensions;  // without the end marker
  std::uint64_t end = 0;
  bool terminated = false;           // an end marker was seen
  bool overrun = false;              // the extension at `end` claims to leave the area
  std::uint32_t overrun_type = 0;    // its type
  std::uint64_t overrun_length = 0;  // and its claimed length in bytes
};

// Walks [begin, limit) of `first_cluster`. The area ends at `limit`: the end of the first cluster, or the
// backing file name if there is one. Fewer than 8 bytes left count as unterminated. The end marker's data is
// not looked at, but like any other's it must not leave the area: QEMU opens no such image.
ExtensionWalk walk_extensions(std::span<const std::byte> first_cluster, std::uint64_t begin,
                              std::uint64_t limit);

// Appends the extensions, each padded with zeros, and the end marker. Offsets are those of `out`, not looked
// at.
void encode_extensions(std::span<const Extension> extensions, std::vector<std::byte>& out);

// Feature name table: entries of 48 bytes.
struct RawFeatureName {
  std::uint8_t type;  // 0 incompatible, 1 compatible, 2 autoclear
  std::uint8_t bit;   // 0 to 63
  char name[46];      // padded with zeros, not terminated at full length
};
static_assert(sizeof(RawFeatureName) == 48);

struct FeatureName {
  std::uint8_t type = 0;
  std::uint8_t bit = 0;
  std::string name;  // up to the first NUL; at most 46 bytes

  bool operator==(const FeatureName&) const = default;
};

// The whole entries of the table; what is left of a length that is no multiple of 48 is not looked at.
std::vector<FeatureName> decode_feature_names(std::span<const std::byte> data);
std::vector<std::byte> encode_feature_names(std::span<const FeatureName> names);

// Bitmaps extension.
struct RawBitmapsExtension {
  Be32 nb_bitmaps;
  Be32 reserved;
  Be64 bitmap_directory_size;    // bytes
  Be64 bitmap_directory_offset;  // bytes, cluster aligned
};
static_assert(sizeof(RawBitmapsExtension) == 24);

struct BitmapsExtension {
  std::uint32_t nb_bitmaps = 0;
  std::uint32_t reserved = 0;
  std::uint64_t directory_size = 0;    // bytes
  std::uint64_t directory_offset = 0;  // bytes, cluster aligned

  bool operator==(const BitmapsExtension&) const = default;
};

// Nothing where `data` is not 24 bytes long.
std::optional<BitmapsExtension> decode_bitmaps_extension(std::span<const std::byte> data);
std::vector<std::byte> encode_bitmaps_extension(const BitmapsExtension& extension);

// Full disk encryption header pointer.
struct RawLuksPointer {
  Be64 offset;  // bytes, cluster aligned
  Be64 length;  // bytes written; the space is rounded up to clusters
};
static_assert(sizeof(RawLuksPointer) == 16);

struct LuksPointer {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const LuksPointer&) const = default;
};

// Nothing where `data` is not 16 bytes long.
std::optional<LuksPointer> decode_luks_pointer(std::span<const std::byte> data);
std::vector<std::byte> encode_luks_pointer(const LuksPointer& pointer);

}  // namespace cowvet
