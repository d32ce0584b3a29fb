// The LUKS1 partition header, as it lies in the encryption header clusters of an image (specification, "Full
// disk encryption header pointer"; LUKS1 on-disk format 1.2.3). Offsets in it are relative to its own start.
#pragma once

#include <cstdint>

#include "checker/format/endian.h"

namespace cowvet {

inline constexpr char kLuksMagic[6] = {'L', 'U', 'K', 'S', '\xba', '\xbe'};
inline constexpr unsigned kLuksKeySlots = 8;
inline constexpr std::uint32_t kLuksSlotEnabled = 0x00ac71f3;
inline constexpr std::uint32_t kLuksSlotDisabled = 0x0000dead;
inline constexpr std::uint32_t kLuksSectorBytes = 512;

struct RawLuksKeySlot {
  Be32 active;
  Be32 iterations;
  unsigned char salt[32];
  Be32 key_material_sector;
  Be32 stripes;
};
static_assert(sizeof(RawLuksKeySlot) == 48);

struct RawLuksHeader {
  char magic[6];
  Be16 version;
  char cipher_name[32];
  char cipher_mode[32];
  char hash_spec[32];
  Be32 payload_sector;
  Be32 key_bytes;
  unsigned char digest[20];
  unsigned char salt[32];
  Be32 iterations;
  char uuid[40];
  RawLuksKeySlot slots[kLuksKeySlots];
};
static_assert(sizeof(RawLuksHeader) == 592);

}  // namespace cowvet
