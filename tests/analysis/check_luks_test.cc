#include <gtest/gtest.h>

#include <cstring>

#include "checker/analysis/passes.h"
#include "checker/format/entries.h"
#include "checker/format/extensions.h"
#include "checker/format/luks.h"
#include "tests/support/memory_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kArea = 4 * kCluster;

// Eight slots of 64 bytes and 16 stripes, two sectors each, the first enabled.
RawLuksHeader sound_header() {
  RawLuksHeader header{};
  std::memcpy(header.magic, kLuksMagic, sizeof kLuksMagic);
  header.version = 1;
  header.key_bytes = 64;
  std::uint32_t sector = 2;
  for (RawLuksKeySlot& slot : header.slots) {
    slot.active = sector == 2 ? kLuksSlotEnabled : kLuksSlotDisabled;
    slot.key_material_sector = sector;
    slot.stripes = 16;
    sector += 2;
    header.payload_sector = sector;
  }
  return header;
}

MemoryImage image_with(const RawLuksHeader& header, std::uint64_t length = 18 * 512) {
  MemoryImage image;
  image.header.crypt_method = 2;
  RawLuksPointer pointer;
  pointer.offset = kArea;
  pointer.length = length;
  image.add_extension(static_cast<std::uint32_t>(ExtensionType::luks),
                      {reinterpret_cast<const char*>(&pointer), sizeof pointer});
  image.put(kArea, std::as_bytes(std::span(&header, 1)));
  image.put(kArea + 3 * kCluster - 1, std::uint8_t{0});
  return image;
}

struct Loaded : Examination {
  explicit Loaded(const MemoryImage& image) : Examination(image) {
    EXPECT_TRUE(load_header(context));
    load_extensions(context);
    check_luks(context);
  }
};

std::string fired_with(auto&& change) {
  RawLuksHeader header = sound_header();
  change(header);
  return Loaded(image_with(header)).fired();
}

TEST(CheckLuks, sound_header_fires_nothing_and_its_area_is_claimed) {
  const Loaded loaded(image_with(sound_header()));
  EXPECT_EQ(loaded.fired(), "");
  EXPECT_EQ(loaded.context.areas.back().structure, Structure::luks_header);
  EXPECT_EQ(loaded.context.areas.back().length, 18u * 512);
  EXPECT_TRUE(loaded.context.unknown_references.empty());
}

TEST(CheckLuks, magic_and_version_are_those_of_luks1) {
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.magic[0] = 'K'; }), "luks/header");
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.version = 2; }), "luks/header");
}

TEST(CheckLuks, key_material_lies_between_header_and_end_of_area) {
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.slots[7].key_material_sector = 17; }),
            "luks/header");
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.slots[0].key_material_sector = 1; }),
            "luks/header");
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.slots[3].stripes = ~std::uint32_t{0}; }),
            "luks/header");
}

TEST(CheckLuks, slot_without_room_is_broken_though_nobody_uses_it) {
  EXPECT_EQ(fired_with([](RawLuksHeader& header) {
              header.slots[5].stripes = 0;
              header.slots[5].key_material_sector = 0;
            }),
            "luks/header");
}

TEST(CheckLuks, slots_share_nothing) {
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.slots[3].key_material_sector = 3; }),
            "luks/header");
}

TEST(CheckLuks, slot_is_enabled_or_disabled) {
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.slots[1].active = 1; }), "luks/header");
}

TEST(CheckLuks, payload_begins_behind_the_key_material) {
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.payload_sector = 17; }), "luks/header");
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.payload_sector = 24; }), "");
  EXPECT_EQ(fired_with([](RawLuksHeader& header) { header.payload_sector = 25; }), "luks/header");
}

TEST(CheckLuks, length_that_is_too_short_leaves_the_rest_unknown) {
  const Loaded loaded(image_with(sound_header(), 592));
  EXPECT_EQ(loaded.fired(), "luks/header");
  EXPECT_FALSE(loaded.context.unknown_references.empty());
}

TEST(CheckLuks, zeros_are_a_lost_header_only_where_there_is_guest_data) {
  MemoryImage image = image_with(RawLuksHeader{});
  EXPECT_EQ(Loaded(image).fired(), "");
  image.put(3 * kCluster, kCopied | 4 * kCluster);
  EXPECT_EQ(Loaded(image).fired(), "luks/header");
}

}  // namespace
}  // namespace cowvet
