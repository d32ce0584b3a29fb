// The LUKS1 partition header, as it lies in the encryption header clusters of an image (specification, "Full
// disk encryption header pointer"; LUKS1 on-disk format 1.2.3). Offsets in it are relative to its own start.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

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

struct LuksKeySlot {
  std::uint32_t active = kLuksSlotDisabled;
  std::uint32_t iterations = 0;
  std::array<unsigned char, 32> salt{};
  std::uint32_t key_material_sector = 0;
  std::uint32_t stripes = 0;

  bool operator==(const LuksKeySlot&) const = default;
};

// Texts end before their first NUL.
struct LuksHeader {
  std::uint16_t version = 1;
  std::string cipher_name;  // at most 32 bytes, as the two behind it
  std::string cipher_mode;
  std::string hash_spec;
  std::uint32_t payload_sector = 0;
  std::uint32_t key_bytes = 0;
  std::array<unsigned char, 20> digest{};
  std::array<unsigned char, 32> salt{};
  std::uint32_t iterations = 0;
  std::string uuid;  // at most 40 bytes
  std::array<LuksKeySlot, kLuksKeySlots> slots{};

  bool operator==(const LuksHeader&) const = default;
};

// Nothing where `bytes` is shorter than 592 bytes or does not start with the magic.
std::optional<LuksHeader> decode_luks_header(std::span<const std::byte> bytes);
RawLuksHeader encode_luks_header(const LuksHeader& header);

}  // namespace cowvet
