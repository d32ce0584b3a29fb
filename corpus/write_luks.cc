// The encryption header area: a LUKS1 header with one key slot in use, shaped like those that QEMU writes for
// AES-256-XTS. The key material is noise: nothing can be decrypted with it.
#include <string_view>

#include "checker/format/luks.h"
#include "corpus/draft.h"
#include "corpus/patterns.h"

namespace cowvet::corpus {
namespace {

constexpr std::uint32_t kKeyBytes = 64;
constexpr std::uint32_t kStripes = 4000;
constexpr std::uint32_t kFirstSlotSector = 8;  // areas are aligned to 4096 bytes
constexpr std::uint32_t kSlotSectors = 504;
constexpr std::uint32_t kPayloadSector = kFirstSlotSector + kLuksKeySlots * kSlotSectors;

template <std::size_t N>
void set_text(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

RawLuksHeader luks_header() {
  RawLuksHeader header{};
  std::memcpy(header.magic, kLuksMagic, sizeof header.magic);
  header.version = 1;
  set_text(header.cipher_name, "aes");
  set_text(header.cipher_mode, "xts-plain64");
  set_text(header.hash_spec, "sha256");
  header.payload_sector = kPayloadSector;
  header.key_bytes = kKeyBytes;
  fill_pattern({Pattern::Kind::random}, 0, std::as_writable_bytes(std::span(header.digest)));
  fill_pattern({Pattern::Kind::random}, 64, std::as_writable_bytes(std::span(header.salt)));
  header.iterations = 1000;
  set_text(header.uuid, "00000000-0000-4000-8000-000000000000");
  for (unsigned i = 0; i < kLuksKeySlots; ++i) {
    RawLuksKeySlot& slot = header.slots[i];
    slot.active = i == 0 ? kLuksSlotEnabled : kLuksSlotDisabled;
    slot.iterations = i == 0 ? 1000u : 0u;
    slot.key_material_sector = kFirstSlotSector + i * kSlotSectors;
    slot.stripes = kStripes;
  }
  return header;
}

}  // namespace

void write_luks(Draft& draft) {
  if (!draft.recipe.luks) return;
  Layout& layout = draft.layout;
  layout.luks_bytes = std::uint64_t{kPayloadSector} * kLuksSectorBytes;
  layout.luks_offset = layout.clusters.allocate(layout.shape.clusters_for(layout.luks_bytes), "LUKS header");
  if (!draft.recipe.luks->written) return;
  const RawLuksHeader header = luks_header();
  put_bytes(draft.image, layout.luks_offset, std::as_bytes(std::span(&header, 1)));
  std::vector<std::byte> key(std::uint64_t{kKeyBytes} * kStripes);
  fill_pattern({Pattern::Kind::random}, 4096, key);
  put_bytes(draft.image, layout.luks_offset + std::uint64_t{kFirstSlotSector} * kLuksSectorBytes, key);
  // The rest of the area is zero, and is written as well.
  std::byte last{0};
  put_bytes(draft.image, layout.luks_offset + layout.shape.round_up(layout.luks_bytes) - 1,
            std::span(&last, 1));
}

}  // namespace cowvet::corpus
