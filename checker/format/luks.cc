#include "checker/format/luks.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace cowvet {
namespace {

template <std::size_t N>
std::string text_of(const char (&field)[N]) {
  return {field, strnlen(field, N)};
}

template <std::size_t N>
void put_text(const std::string& text, char (&field)[N]) {
  assert(text.size() <= N);
  std::ranges::copy(text, field);
}

}  // namespace

std::optional<LuksHeader> decode_luks_header(std::span<const std::byte> bytes) {
  RawLuksHeader raw;
  if (bytes.size() < sizeof raw) return std::nullopt;
  std::memcpy(&raw, bytes.data(), sizeof raw);
  if (!std::ranges::equal(raw.magic, kLuksMagic)) return std::nullopt;

  LuksHeader header{.version = raw.version,
                    .cipher_name = text_of(raw.cipher_name),
                    .cipher_mode = text_of(raw.cipher_mode),
                    .hash_spec = text_of(raw.hash_spec),
                    .payload_sector = raw.payload_sector,
                    .key_bytes = raw.key_bytes,
                    .digest = std::to_array(raw.digest),
                    .salt = std::to_array(raw.salt),
                    .iterations = raw.iterations,
                    .uuid = text_of(raw.uuid)};
  std::ranges::transform(raw.slots, header.slots.begin(), [](const RawLuksKeySlot& slot) {
    return LuksKeySlot{.active = slot.active,
                       .iterations = slot.iterations,
                       .salt = std::to_array(slot.salt),
                       .key_material_sector = slot.key_material_sector,
                       .stripes = slot.stripes};
  });
  return header;
}

RawLuksHeader encode_luks_header(const LuksHeader& header) {
  RawLuksHeader raw{};
  std::ranges::copy(kLuksMagic, raw.magic);
  raw.version = header.version;
  put_text(header.cipher_name, raw.cipher_name);
  put_text(header.cipher_mode, raw.cipher_mode);
  put_text(header.hash_spec, raw.hash_spec);
  raw.payload_sector = header.payload_sector;
  raw.key_bytes = header.key_bytes;
  std::ranges::copy(header.digest, raw.digest);
  std::ranges::copy(header.salt, raw.salt);
  raw.iterations = header.iterations;
  put_text(header.uuid, raw.uuid);
  for (std::size_t i = 0; i < kLuksKeySlots; ++i) {
    const LuksKeySlot& slot = header.slots[i];
    raw.slots[i].active = slot.active;
    raw.slots[i].iterations = slot.iterations;
    std::ranges::copy(slot.salt, raw.slots[i].salt);
    raw.slots[i].key_material_sector = slot.key_material_sector;
    raw.slots[i].stripes = slot.stripes;
  }
  return raw;
}

}  // namespace cowvet
