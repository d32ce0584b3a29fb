// The LUKS1 partition header, 592 bytes at the start of the header area: without it, and the key material
// that it points at, nobody reads the guest's data again. What it names must lie in the area, because only
// the area's clusters are kept from being used for something else.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "checker/analysis/passes.h"
#include "checker/analysis/places.h"
#include "checker/analysis/table_reader.h"
#include "checker/format/luks.h"

namespace cowvet {
namespace {

struct Luks {
  std::uint64_t offset = 0;  // of the area in the image, bytes
  std::uint64_t length = 0;  // bytes
  RawLuksHeader header{};
};

// Key material of a slot, relative to the area, in bytes.
struct Material {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Material material_of(const Luks& luks, const RawLuksKeySlot& slot) {
  const std::uint64_t begin = std::uint64_t{slot.key_material_sector} * kLuksSectorBytes;
  return {begin, begin + std::uint64_t{luks.header.key_bytes} * slot.stripes};
}

template <typename Field>
Place field(const Luks& luks, Field RawLuksHeader::* member) {
  return place_of(Structure::luks_header, luks.offset, member);
}

Place place_of_slot(const Luks& luks, unsigned index) {
  Place place = field(luks, &RawLuksHeader::slots);
  place.length = sizeof(RawLuksKeySlot);
  place.offset += index * place.length;
  return place;
}

void report(Context& context, const Place& place, std::string detail) {
  context.findings.add({.rule = rule("luks/header"), .place = place, .detail = std::move(detail)});
}

// "The first 592 bytes of the header clusters will contain the LUKS partition header", version 1.
bool check_magic(Context& context, const Luks& luks) {
  const bool magic = std::memcmp(luks.header.magic, kLuksMagic, sizeof kLuksMagic) == 0;
  if (!magic)
    report(context, field(luks, &RawLuksHeader::magic),
           "the LUKS header does not begin with its magic number");
  else if (luks.header.version != 1)
    report(context, field(luks, &RawLuksHeader::version),
           fmt::format("LUKS version {} is not 1", std::uint16_t{luks.header.version}));
  return magic && luks.header.version == 1;
}

// A slot is enabled or disabled; room for its key material is set aside either way, when the header is made.
bool check_slot(Context& context, const Luks& luks, unsigned index) {
  const RawLuksKeySlot& slot = luks.header.slots[index];
  const Place place = place_of_slot(luks, index);
  const bool enabled = slot.active == kLuksSlotEnabled;
  if (!enabled && slot.active != kLuksSlotDisabled) {
    report(context, place, fmt::format("key slot {} is neither enabled nor disabled", index));
    return true;
  }
  const Material material = material_of(luks, slot);
  if (material.begin >= sizeof(RawLuksHeader) && material.end > material.begin && material.end <= luks.length)
    return true;
  report(context, place,
         fmt::format(
             "the key material of slot {}, bytes {} to {}, is not inside the LUKS header area of {} bytes",
             index, material.begin, material.end, luks.length));
  return false;
}

// Slots have their key material to themselves.
void check_slots_apart(Context& context, const Luks& luks, unsigned index) {
  const Material material = material_of(luks, luks.header.slots[index]);
  for (unsigned before = 0; before < index; ++before) {
    const Material other = material_of(luks, luks.header.slots[before]);
    const bool overlap = std::max(material.begin, other.begin) < std::min(material.end, other.end);
    if (overlap)
      report(context, place_of_slot(luks, index),
             fmt::format("the key material of slots {} and {} overlaps", before, index));
  }
}

// "payload-offset [...] the size of the LUKS header, plus key material regions, plus padding [...] a valid
// payload offset should always be present."
bool check_payload(Context& context, const Luks& luks) {
  std::uint64_t material_end = sizeof(RawLuksHeader);
  for (const RawLuksKeySlot& slot : luks.header.slots)
    material_end = std::max(material_end, material_of(luks, slot).end);
  const std::uint64_t payload = std::uint64_t{luks.header.payload_sector} * kLuksSectorBytes;
  const std::uint64_t area =
      divide_up(luks.length, context.geometry.cluster_bytes) * context.geometry.cluster_bytes;
  if (payload >= material_end && payload <= area) return true;
  report(
      context, field(luks, &RawLuksHeader::payload_sector),
      fmt::format("the payload offset {} is not between the end of the key material, {}, and the end of the "
                  "LUKS header area, {}",
                  payload, material_end, area));
  return false;
}

// The area is allocated when the image is made, and written to a moment later. An image without an L2 table
// has no guest data that could have become unreadable.
bool never_written(Context& context, const Luks& luks) {
  const auto bytes = std::as_bytes(std::span(&luks.header, 1));
  if (std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; })) return false;
  if (!context.l1_usable || context.header.nb_snapshots != 0) return false;
  bool maps_nothing = true;
  const Place place{.structure = Structure::l1_table};
  return for_each_entry(context, context.header.l1_table_offset, context.header.l1_size, place,
                        [&](std::uint64_t, std::uint64_t) { maps_nothing = false; }) &&
         maps_nothing;
}

// False: the area may be longer than the image says.
bool check_header(Context& context, const Luks& luks) {
  if (!check_magic(context, luks)) return false;
  bool inside = true;
  for (unsigned index = 0; index < kLuksKeySlots; ++index) {
    inside &= check_slot(context, luks, index);
    check_slots_apart(context, luks, index);
  }
  return inside && check_payload(context, luks);
}

}  // namespace

void check_luks(Context& context) {
  if (!context.luks_area) return;
  const auto [offset, length] = *context.luks_area;
  context.areas.push_back(
      {.structure = Structure::luks_header, .offset = offset, .length = length, .owner = {}});
  Luks luks{.offset = offset, .length = length};
  const Place place{.structure = Structure::luks_header, .offset = offset, .length = sizeof luks.header};
  const auto bytes = std::as_writable_bytes(std::span(&luks.header, 1));
  if (!context.read(context.image, offset, bytes, place)) return;
  if (never_written(context, luks)) return;
  if (!check_header(context, luks)) context.unknown_references.emplace_back("the end of the LUKS header");
}

}  // namespace cowvet
