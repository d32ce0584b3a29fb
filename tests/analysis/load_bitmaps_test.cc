#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "checker/format/bitmap.h"
#include "checker/format/entries.h"
#include "checker/format/extensions.h"
#include "tests/support/memory_image.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kDirectory = 4 * kCluster;
constexpr std::uint64_t kTable = 5 * kCluster;
constexpr std::uint64_t kData = 6 * kCluster;

Bitmap bitmap(std::string name) {
  return {.table_offset = kTable, .table_size = 1, .granularity_bits = 9, .name = std::move(name)};
}

struct Directory {
  std::vector<Bitmap> bitmaps;
  std::optional<std::uint32_t> count;  // default: the truth
  std::uint64_t more_bytes = 0;        // of directory than the entries have
  bool stale = false;
};

// A disk of 16 MiB: at 512 bytes a bit, the bitmaps' data fill one cluster.
MemoryImage image_with(const Directory& directory) {
  MemoryImage image;
  image.header.size = 16 << 20;
  image.header.l1_size = 8;
  std::vector<std::byte> entries;
  for (const Bitmap& one : directory.bitmaps) encode_bitmap(one, entries);
  RawBitmapsExtension raw;
  raw.nb_bitmaps = directory.count.value_or(static_cast<std::uint32_t>(directory.bitmaps.size()));
  raw.bitmap_directory_offset = kDirectory;
  raw.bitmap_directory_size = entries.size() + directory.more_bytes;
  image.add_extension(static_cast<std::uint32_t>(ExtensionType::bitmaps),
                      {reinterpret_cast<const char*>(&raw), sizeof raw});
  image.header.autoclear_features = directory.stale ? 0 : kAutoclearBitmaps;
  image.put(kDirectory, entries);
  image.put(kTable, kData);
  image.put(kData, std::uint64_t{1} << 63);
  image.put(kData + kCluster, std::uint64_t{0});
  return image;
}

struct Loaded : Examination {
  explicit Loaded(const MemoryImage& image, Options opt = {}) : Examination(image, opt) { load(); }
  explicit Loaded(std::unique_ptr<Device> from) : Examination(std::move(from)) { load(); }
  void load() {
    EXPECT_TRUE(load_header(context));
    load_extensions(context);
    load_bitmaps(context);
  }
  std::uint64_t claimed(Structure structure) const {
    std::uint64_t bytes = 0;
    for (const Area& area : context.areas) bytes += area.structure == structure ? area.length : 0;
    return bytes;
  }
};

std::string fired_on(const Bitmap& one) {
  return Loaded(image_with({.bitmaps = {one}})).fired();
}

TEST(LoadBitmaps, directory_table_and_data_are_claimed) {
  const Loaded loaded(image_with({.bitmaps = {bitmap("a")}}));
  EXPECT_EQ(loaded.fired(), "");
  ASSERT_EQ(loaded.context.bitmaps.size(), 1u);
  EXPECT_TRUE(loaded.context.bitmaps[0].table_usable);
  EXPECT_EQ(loaded.claimed(Structure::bitmap_directory), 32u);
  EXPECT_EQ(loaded.claimed(Structure::bitmap_table), 8u);
  EXPECT_EQ(loaded.claimed(Structure::bitmap_data), kCluster);
  EXPECT_EQ(loaded.context.areas.back().owner, "bitmap a");
  EXPECT_TRUE(loaded.context.unknown_references.empty());
}

TEST(LoadBitmaps, stale_bitmaps_are_remembered_but_claim_nothing) {
  const Loaded loaded(image_with({.bitmaps = {bitmap("a")}, .stale = true}));
  EXPECT_EQ(loaded.fired(), "ext/bitmaps-stale");
  EXPECT_EQ(loaded.claimed(Structure::bitmap_data), 0u);
  EXPECT_EQ(loaded.context.stale_areas.size(), 3u);
  EXPECT_TRUE(loaded.context.bitmaps.empty());
}

TEST(LoadBitmaps, stale_bitmaps_whose_clusters_were_given_away_say_nothing) {
  MemoryImage image = image_with({.bitmaps = {bitmap("a")}, .stale = true});
  image.put(kDirectory, std::string_view("what a guest wrote over the directory"));
  const Loaded loaded(image);
  EXPECT_EQ(loaded.fired(), "ext/bitmaps-stale");
  EXPECT_TRUE(loaded.context.stale_areas.empty());
  EXPECT_TRUE(loaded.context.unknown_references.empty());
}

TEST(LoadBitmaps, count_and_size_of_the_directory_agree_with_its_entries) {
  const std::vector<Bitmap> one = {bitmap("a")};
  EXPECT_EQ(Loaded(image_with({.bitmaps = one, .more_bytes = 8})).fired(), "bitmap/directory-size");
  EXPECT_EQ(Loaded(image_with({.bitmaps = one, .count = 2})).fired(), "bitmap/directory-size");
  EXPECT_EQ(Loaded(image_with({.bitmaps = one, .count = 2, .more_bytes = 16})).fired(),
            "bitmap/entry-truncated");
  EXPECT_EQ(Loaded(image_with({.bitmaps = {bitmap("a"), bitmap("b")}, .count = 1})).fired(),
            "bitmap/directory-size");
}

TEST(LoadBitmaps, entries_before_a_cut_are_kept) {
  const Loaded loaded(image_with({.bitmaps = {bitmap("a")}, .count = 2, .more_bytes = 16}));
  EXPECT_EQ(loaded.context.bitmaps.size(), 1u);
  EXPECT_EQ(loaded.claimed(Structure::bitmap_data), kCluster);
  EXPECT_FALSE(loaded.context.unknown_references.empty());
}

TEST(LoadBitmaps, padding_is_zero) {
  MemoryImage image = image_with({.bitmaps = {bitmap("a")}});
  image.put(kDirectory + 31, std::uint8_t{1});
  EXPECT_EQ(Loaded(image).fired(), "bitmap/padding");
}

TEST(LoadBitmaps, fields_have_the_values_that_are_defined) {
  const auto with = []<typename Field>(Field Bitmap::* member, const std::type_identity_t<Field>& value) {
    Bitmap one = bitmap("a");
    one.*member = value;
    return fired_on(one);
  };
  EXPECT_EQ(with(&Bitmap::flags, Bitmap::kAuto), "");
  EXPECT_EQ(with(&Bitmap::flags, Bitmap::kExtraDataCompatible), "");
  EXPECT_EQ(with(&Bitmap::flags, 8u), "bitmap/flags");
  EXPECT_EQ(with(&Bitmap::flags, Bitmap::kInUse), "bitmap/in-use");
  EXPECT_EQ(with(&Bitmap::type, 0), "bitmap/type");
  EXPECT_EQ(with(&Bitmap::granularity_bits, 31), "");
  EXPECT_EQ(with(&Bitmap::granularity_bits, 32), "bitmap/granularity");
  EXPECT_EQ(with(&Bitmap::granularity_bits, 64), "bitmap/granularity");
  EXPECT_EQ(with(&Bitmap::granularity_bits, 255), "bitmap/granularity");
  EXPECT_EQ(with(&Bitmap::name, std::string()), "bitmap/name-empty");
  EXPECT_EQ(with(&Bitmap::name, std::string(1023, 'n')), "");
  EXPECT_EQ(with(&Bitmap::name, std::string(1024, 'n')), "bitmap/name-long");
  EXPECT_EQ(with(&Bitmap::extra_data, std::vector<std::byte>(8)), "bitmap/extra-data");
}

TEST(LoadBitmaps, extra_data_may_be_declared_harmless) {
  Bitmap one = bitmap("a");
  one.flags = Bitmap::kExtraDataCompatible;
  one.extra_data.resize(8);
  EXPECT_EQ(fired_on(one), "");
}

TEST(LoadBitmaps, table_of_the_wrong_size_is_corruption_unless_in_use) {
  Bitmap one = bitmap("a");
  one.granularity_bits = 9;
  one.table_size = 0;
  Loaded loaded(image_with({.bitmaps = {one}}));
  EXPECT_EQ(loaded.first("bitmap/table-size").severity, Severity::corruption);
  one.flags = Bitmap::kInUse;
  EXPECT_EQ(fired_on(one), "bitmap/in-use");
  one.flags = 0;
  one.table_size = 2;
  EXPECT_EQ(Loaded(image_with({.bitmaps = {one}})).first("bitmap/table-size").severity, Severity::corruption);
}

TEST(LoadBitmaps, table_is_aligned_and_inside) {
  Bitmap one = bitmap("a");
  one.table_offset += 8;
  EXPECT_EQ(fired_on(one), "bitmap/table-unaligned");
  one.table_offset = ~std::uint64_t{kCluster - 1};
  EXPECT_EQ(fired_on(one), "bitmap/table-outside");
  one.table_offset = 0;
  EXPECT_EQ(fired_on(one), "bitmap/table-outside");
}

TEST(LoadBitmaps, table_entries_are_judged_one_by_one) {
  const auto with_entry = [](std::uint64_t entry) {
    MemoryImage image = image_with({.bitmaps = {bitmap("a")}});
    image.put(kTable, entry);
    return Loaded(image).fired();
  };
  EXPECT_EQ(with_entry(0), "");
  EXPECT_EQ(with_entry(BitmapTableEntry::kAllOnes), "");
  EXPECT_EQ(with_entry(kData | BitmapTableEntry::kAllOnes), "bitmap/entry-reserved");
  EXPECT_EQ(with_entry(2), "bitmap/entry-reserved");
  EXPECT_EQ(with_entry(kData | 1ULL << 56), "bitmap/entry-reserved");
  EXPECT_EQ(with_entry(kData + 512), "bitmap/entry-unaligned");
  EXPECT_EQ(with_entry(7 * kCluster), "");
  EXPECT_EQ(with_entry(8 * kCluster), "bitmap/entry-outside");
}

TEST(LoadBitmaps, broken_neighbours_are_one_finding) {
  Bitmap one = bitmap("a");
  one.table_size = 300;
  MemoryImage image = image_with({.bitmaps = {one}});
  for (std::uint64_t i = 100; i < 200; ++i) image.put(kTable + i * 8, std::uint64_t{1} << 40);
  const Loaded loaded(image);
  EXPECT_EQ(loaded.context.findings.added(rule("bitmap/entry-outside")), 1u);
  EXPECT_EQ(loaded.context.findings.total(rule("bitmap/entry-outside")), 100u);
  EXPECT_EQ(loaded.first("bitmap/entry-outside").place.offset, kTable + 800);
}

TEST(LoadBitmaps, following_clusters_are_one_area) {
  Bitmap one = bitmap("a");
  one.table_size = 3;
  MemoryImage image = image_with({.bitmaps = {one}});
  image.put(kTable + 8, kData + kCluster);
  image.put(kTable + 16, kDirectory);
  const Loaded loaded(image);
  EXPECT_EQ(loaded.context.areas.size(), 3u + 1 + 1 + 2);
  EXPECT_EQ(loaded.claimed(Structure::bitmap_data), 3 * kCluster);
}

TEST(LoadBitmaps, names_are_unique) {
  Bitmap other = bitmap("a");
  other.table_size = 0;
  other.flags = Bitmap::kInUse;
  EXPECT_EQ(Loaded(image_with({.bitmaps = {bitmap("a"), other}})).fired(),
            "bitmap/name-duplicate bitmap/in-use");
}

TEST(LoadBitmaps, tail_bits_are_looked_at_only_when_asked_for) {
  MemoryImage image = image_with({.bitmaps = {bitmap("a")}});
  image.header.size -= 512;
  image.put(kData + kCluster - 1, std::uint8_t{0x7f});
  EXPECT_EQ(Loaded(image, {.deep = true}).fired(), "");
  image.put(kData + kCluster - 1, std::uint8_t{0x80});
  EXPECT_EQ(Loaded(image).fired(), "");
  const Loaded deep(image, {.deep = true});
  EXPECT_EQ(deep.fired(), "bitmap/tail-bits");
  EXPECT_EQ(deep.first("bitmap/tail-bits").place.offset, kData + kCluster - 1);
}

// 1000 bitmaps name one table of 64 KiB in which every entry names the same cluster.
TEST(LoadBitmaps, claims_end_where_the_file_has_no_more_clusters) {
  std::vector<Bitmap> bitmaps;
  for (int i = 0; i < 1000; ++i) {
    bitmaps.push_back(bitmap(std::to_string(i)));
    bitmaps.back().table_offset = 100 * kCluster;
    bitmaps.back().table_size = 8192;
  }
  MemoryImage image = image_with({.bitmaps = bitmaps});
  for (std::uint64_t i = 0; i < 8192; ++i) image.put(100 * kCluster + i * 8, kData + i % 2 * kCluster);
  const Loaded loaded(image);
  EXPECT_EQ(loaded.claimed(Structure::bitmap_data), loaded.context.geometry.file_clusters * kCluster);
}

TEST(LoadBitmaps, table_in_a_hole_costs_nothing) {
  Bitmap one = bitmap("a");
  one.table_offset = std::uint64_t{1} << 32;
  one.table_size = ~std::uint32_t{0};
  auto device =
      std::make_unique<SparseDevice>(std::uint64_t{1} << 40, image_with({.bitmaps = {one}}).encoded());
  const SparseDevice& sparse = *device;
  const Loaded loaded(std::move(device));
  EXPECT_EQ(loaded.fired(), "bitmap/table-size");
  EXPECT_LT(sparse.bytes_read(), 100'000u);
}

}  // namespace
}  // namespace cowvet
