// Header extensions (specification, "Header extensions" and the sections of each type).
#pragma once

#include <cstdint>
#include <span>
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
  bool terminated = false;               // an end marker was seen
  bool overrun = false;                  // the extension at `end` claims to leave the area
  std::uint32_t overrun_type = 0;        // its type
  std::uint64_t overrun_length = 0;      // and its claimed length in bytes
};

// Walks [begin, limit) of `first_cluster`. The area ends at `limit`: the end of the first cluster, or the
// backing file name if there is one. Fewer than 8 bytes left count as unterminated.
ExtensionWalk walk_extensions(std::span<const std::byte> first_cluster, std::uint64_t begin,
                              std::uint64_t limit);

// Feature name table: entries of 48 bytes.
struct RawFeatureName {
  std::uint8_t type;  // 0 incompatible, 1 compatible, 2 autoclear
  std::uint8_t bit;   // 0 to 63
  char name[46];      // padded with zeros, not terminated at full length
};
static_assert(sizeof(RawFeatureName) == 48);

// Bitmaps extension.
struct RawBitmapsExtension {
  Be32 nb_bitmaps;
  Be32 reserved;
  Be64 bitmap_directory_size;    // bytes
  Be64 bitmap_directory_offset;  // bytes, cluster aligned
};
static_assert(sizeof(RawBitmapsExtension) == 24);

// Full disk encryption header pointer.
struct RawLuksPointer {
  Be64 offset;  // bytes, cluster aligned
  Be64 length;  // bytes written; the space is rounded up to clusters
};
static_assert(sizeof(RawLuksPointer) == 16);

}  // namespace cowvet
