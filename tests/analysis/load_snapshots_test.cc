#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "checker/format/snapshot.h"
#include "tests/support/memory_image.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kTable = 4 * kCluster;

Snapshot snapshot(std::string id, std::string name) {
  Snapshot result{
      .l1_table_offset = 3 * kCluster, .l1_size = 1, .id = std::move(id), .name = std::move(name)};
  result.extra_data.resize(16);
  store_big_endian(result.extra_data.data() + 8, std::uint64_t{1 << 20});
  return result;
}

MemoryImage image_with(const std::vector<Snapshot>& snapshots) {
  MemoryImage image;
  std::vector<std::byte> table;
  for (const Snapshot& one : snapshots) encode_snapshot(one, table);
  image.put(kTable, table);
  image.header.nb_snapshots = static_cast<std::uint32_t>(snapshots.size());
  image.header.snapshots_offset = kTable;
  return image;
}

struct Loaded : Examination {
  explicit Loaded(const MemoryImage& image) : Examination(image) { load(); }
  explicit Loaded(std::unique_ptr<Device> from) : Examination(std::move(from)) { load(); }
  void load() {
    EXPECT_TRUE(load_header(context));
    load_snapshots(context);
  }
};

std::string fired_on(const Snapshot& one) {
  return Loaded(image_with({one})).fired();
}

TEST(LoadSnapshots, entries_and_areas_are_found) {
  const Loaded loaded(image_with({snapshot("1", "first"), snapshot("2", "second")}));
  EXPECT_EQ(loaded.fired(), "");
  ASSERT_EQ(loaded.context.snapshots.size(), 2u);
  EXPECT_EQ(loaded.context.snapshots[1].entry_offset, kTable + 64);
  EXPECT_EQ(loaded.context.snapshots[1].owner(), "snapshot 2 (second)");
  EXPECT_TRUE(loaded.context.snapshots[1].l1_usable);
  const std::vector<Area>& areas = loaded.context.areas;
  ASSERT_EQ(areas.size(), 6u);  // header, L1 and refcount table come first
  EXPECT_EQ(areas[3].structure, Structure::snapshot_table);
  EXPECT_EQ(areas[3].length, 128u);
  EXPECT_EQ(areas[5].structure, Structure::snapshot_l1_table);
  EXPECT_EQ(areas[5].length, 8u);
  EXPECT_EQ(areas[5].owner, "snapshot 2 (second)");
}

TEST(LoadSnapshots, last_entry_needs_no_padding) {
  MemoryImage image = image_with({snapshot("1", "a")});
  image.bytes.resize(kTable + 40 + 16 + 2);
  EXPECT_EQ(Loaded(image).fired(), "");
  image.bytes.resize(kTable + 40 + 16 + 1);
  EXPECT_EQ(Loaded(image).fired(), "snapshot/entry-truncated");
}

TEST(LoadSnapshots, entries_before_the_cut_are_kept) {
  MemoryImage image = image_with({snapshot("1", "a"), snapshot("2", "b")});
  image.header.nb_snapshots = 3;
  image.bytes.resize(kTable + 2 * 64 + 39);
  const Loaded loaded(image);
  EXPECT_EQ(loaded.fired(), "snapshot/entry-truncated");
  EXPECT_EQ(loaded.first("snapshot/entry-truncated").found, 2u);
  EXPECT_EQ(loaded.context.snapshots.size(), 2u);
  EXPECT_FALSE(loaded.context.unknown_references.empty());
}

TEST(LoadSnapshots, extra_data_has_bounds) {
  const auto with_extra = [](std::size_t bytes, std::uint32_t version) {
    Snapshot one = snapshot("1", "a");
    one.extra_data.resize(bytes);
    MemoryImage image = image_with({one});
    image.header.version = version;
    image.bytes[103] = std::byte{0};
    return Loaded(image).fired();
  };
  EXPECT_EQ(with_extra(15, 3), "snapshot/extra-data-short");
  EXPECT_EQ(with_extra(16, 3), "");
  EXPECT_EQ(with_extra(0, 2), "");
  EXPECT_EQ(with_extra(1024, 3), "");
  EXPECT_EQ(with_extra(1032, 3), "snapshot/extra-data-long");
}

TEST(LoadSnapshots, l1_table_is_aligned_and_inside) {
  Snapshot one = snapshot("1", "a");
  one.l1_table_offset += 512;
  EXPECT_EQ(fired_on(one), "snapshot/l1-unaligned");
  one.l1_table_offset = 0;
  EXPECT_EQ(fired_on(one), "snapshot/l1-outside");
  one.l1_table_offset = ~std::uint64_t{kCluster - 1};
  EXPECT_EQ(fired_on(one), "snapshot/l1-outside");
  one.l1_table_offset = 4 * kCluster;
  one.l1_size = kCluster / 8;
  EXPECT_EQ(fired_on(one), "");
  ++one.l1_size;
  EXPECT_EQ(fired_on(one), "snapshot/l1-outside");
}

TEST(LoadSnapshots, l1_table_covers_the_disk_size_where_that_is_known) {
  Snapshot one = snapshot("1", "a");
  store_big_endian(one.extra_data.data() + 8, std::uint64_t{2 << 20});
  EXPECT_EQ(fired_on(one), "");
  store_big_endian(one.extra_data.data() + 8, std::uint64_t{(2 << 20) + 1});
  EXPECT_EQ(fired_on(one), "snapshot/size-beyond-l1");
}

TEST(LoadSnapshots, ids_are_unique_and_names_should_be) {
  EXPECT_EQ(Loaded(image_with({snapshot("1", "a"), snapshot("1", "b")})).fired(), "snapshot/duplicate-id");
  EXPECT_EQ(Loaded(image_with({snapshot("1", "a"), snapshot("2", "a")})).fired(), "snapshot/duplicate-name");
  EXPECT_EQ(Loaded(image_with({snapshot("1", ""), snapshot("2", "")})).fired(), "");
}

// 64 MiB of hole, in which every 40 zero bytes are an entry.
TEST(LoadSnapshots, a_count_that_cannot_be_costs_no_more_than_the_limit) {
  MemoryImage image;
  image.header.nb_snapshots = ~std::uint32_t{0};
  image.header.snapshots_offset = kTable;
  Loaded loaded(std::make_unique<SparseDevice>(std::uint64_t{1} << 40, image.encoded()));
  EXPECT_EQ(loaded.context.snapshots.size(), 65536u);
  EXPECT_EQ(loaded.fired(), "header/snapshots-too-many snapshot/extra-data-short snapshot/duplicate-id");
}

TEST(LoadSnapshots, extra_data_longer_than_the_file_is_a_truncated_entry) {
  MemoryImage image = image_with({snapshot("1", "a")});
  image.put(kTable + offsetof(RawSnapshotHead, extra_data_size), ~std::uint32_t{0});
  EXPECT_EQ(Loaded(image).fired(), "snapshot/entry-truncated");
}

TEST(LoadSnapshots, unreadable_table_leaves_what_was_read_before) {
  std::vector<Snapshot> snapshots;
  for (int i = 0; i < 2000; ++i) snapshots.push_back(snapshot(std::to_string(i), std::to_string(i)));
  const std::vector<std::byte> bytes = image_with(snapshots).encoded();
  auto device = std::make_unique<SparseDevice>(bytes.size(), bytes);
  device->refuse(kTable + (100 << 10), kTable + (101 << 10));
  const Loaded loaded(std::move(device));
  EXPECT_EQ(loaded.fired(), "file/unreadable");
  EXPECT_GT(loaded.context.snapshots.size(), 1000u);
}

}  // namespace
}  // namespace cowvet
