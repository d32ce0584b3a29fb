#include "checker/analysis/distinct_l2_tables.h"

#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

SnapshotRecord snapshot_with(std::uint64_t l1_offset, std::uint32_t l1_size) {
  return {.snapshot = {.l1_table_offset = l1_offset, .l1_size = l1_size, .id = "1", .name = "one"},
          .l1_usable = true};
}

// "OFFSET/L1 INDEX/STATE" of each table, offsets in clusters.
std::string found(const MappedImage& image, std::vector<SnapshotRecord> snapshots = {}) {
  Examination examination(image);
  EXPECT_TRUE(load_header(examination.context));
  examination.context.snapshots = std::move(snapshots);
  std::string text;
  for (const DistinctL2Table& table : find_distinct_l2_tables(examination.context).tables)
    text += std::to_string(table.offset / kCluster) + "/" + std::to_string(table.l1_index) + "/" +
            std::to_string(table.state) + " ";
  return text;
}

TEST(DistinctL2Tables, each_is_found_once_in_the_order_of_the_file) {
  MappedImage image(4 * MappedImage::kWindowBytes);
  image.put(9 * kCluster, std::uint64_t{0});
  image.set_l1(0, 8 * kCluster | kCopied);
  image.set_l1(1, 6 * kCluster);
  image.set_l1(3, 8 * kCluster);
  EXPECT_EQ(found(image), "6/1/0 8/0/0 ");
}

TEST(DistinctL2Tables, pointers_that_cannot_be_followed_are_passed_over) {
  MappedImage image(4 * MappedImage::kWindowBytes);
  image.set_l1(0, 4 * kCluster + 512);
  image.set_l1(1, 400 * kCluster);
  EXPECT_EQ(found(image), "");
}

TEST(DistinctL2Tables, tables_of_snapshots_are_found_unless_the_active_disk_has_them) {
  MappedImage image;
  image.put(6 * kCluster, 4 * kCluster);
  image.put(6 * kCluster + 8, 7 * kCluster);
  image.put(8 * kCluster, std::uint64_t{0});
  EXPECT_EQ(found(image, {snapshot_with(6 * kCluster, 2)}), "4/0/0 7/1/1 ");
}

// Tables of snapshots may overlap in a damaged image: nothing is found twice, nothing is missed.
TEST(DistinctL2Tables, overlapping_l1_tables_are_read_once) {
  MappedImage image;
  image.put(6 * kCluster, 9 * kCluster);
  image.put(7 * kCluster, 10 * kCluster);
  image.put(8 * kCluster, 11 * kCluster);
  image.put(12 * kCluster, std::uint64_t{0});
  EXPECT_EQ(found(image, {snapshot_with(7 * kCluster, 512), snapshot_with(6 * kCluster, 1024),
                          snapshot_with(6 * kCluster, 1536), snapshot_with(7 * kCluster, 1)}),
            "4/0/0 9/0/2 10/0/1 11/1024/3 ");
}

TEST(DistinctL2Tables, unusable_l1_tables_have_none) {
  MappedImage image;
  image.header.l1_table_offset = 512;
  EXPECT_EQ(found(image), "");
}

}  // namespace
}  // namespace cowvet
