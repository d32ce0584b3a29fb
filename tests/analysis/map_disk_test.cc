#include "checker/analysis/map_disk.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kWindow = MappedImage::kWindowBytes;

// A layer with its examination: the map points into both.
struct Layer {
  explicit Layer(const MappedImage& image) : examination(image) {
    EXPECT_TRUE(load_header(examination.context));
  }
  void add_to(DiskMap& map, const char* name) {
    map.add_qcow2(examination.context, active_disk(examination.context), name);
  }
  Examination examination;
};

// "KIND BEGIN+LENGTH/DEPTH[z][@FILE:HOST]" in clusters.
std::string mapped(DiskMap& map) {
  std::string text;
  map.map([&](const MapExtent& extent) {
    text += fmt::format("{}{} {}+{}/{}{}", text.empty() ? "" : ", ", to_string(extent.kind),
                        extent.guest.offset / kCluster, extent.guest.length / kCluster, extent.depth,
                        extent.zero ? "z" : "");
    if (extent.host_offset) text += fmt::format("@{}:{}", *extent.file, *extent.host_offset / kCluster);
    return true;
  });
  return text;
}

MappedImage top_image(std::uint64_t disk_bytes = kWindow) {
  MappedImage image(disk_bytes);
  image.put(9 * kCluster - 1, "x");
  image.map(1, 8 * kCluster | kCopied);
  image.map(3, L2Entry::kZero);
  return image;
}

TEST(MapDisk, unallocated_clusters_without_a_backing_file_are_zeros) {
  Layer top(top_image());
  DiskMap map;
  top.add_to(map, "top");
  EXPECT_EQ(mapped(map),
            "unallocated 0+1/0z, data 1+1/0@top:8, unallocated 2+1/0z, zero 3+1/0z, unallocated 4+508/0z");
  EXPECT_FALSE(map.any_invalid());
}

TEST(MapDisk, backing_file_decides_where_the_image_does_not) {
  MappedImage bottom_image;
  bottom_image.put(9 * kCluster - 1, "x");
  bottom_image.map(0, 7 * kCluster | kCopied);
  bottom_image.map(1, 8 * kCluster | kCopied);
  bottom_image.map(3, 6 * kCluster | kCopied);
  Layer top(top_image());
  Layer bottom(bottom_image);
  DiskMap map;
  top.add_to(map, "top");
  bottom.add_to(map, "bottom");
  EXPECT_EQ(mapped(map),
            "data 0+1/1@bottom:7, data 1+1/0@top:8, unallocated 2+1/1z, zero 3+1/0z, unallocated 4+508/1z");
}

TEST(MapDisk, zeros_follow_behind_the_end_of_a_shorter_backing_file) {
  MappedImage bottom_image(5 * kCluster);
  bottom_image.map(4, L2Entry::kZero);
  Layer top(top_image());
  Layer bottom(bottom_image);
  DiskMap map;
  top.add_to(map, "top");
  bottom.add_to(map, "bottom");
  EXPECT_EQ(mapped(map),
            "unallocated 0+1/1z, data 1+1/0@top:8, unallocated 2+1/1z, zero 3+1/0z, zero 4+1/1z, "
            "unallocated 5+507/0z");
}

TEST(MapDisk, raw_backing_file_has_data_where_the_guest_has_it) {
  Layer top(top_image());
  const MemoryDevice raw(std::vector<std::byte>(3 * kCluster));
  DiskMap map;
  top.add_to(map, "top");
  map.add_raw(raw, "raw");
  EXPECT_EQ(mapped(map),
            "data 0+1/1@raw:0, data 1+1/0@top:8, data 2+1/1@raw:2, zero 3+1/0z, unallocated 4+508/0z");
}

TEST(MapDisk, backing_file_that_was_not_opened_leaves_clusters_unknown) {
  Layer top(top_image());
  DiskMap map;
  top.add_to(map, "top");
  map.set_backing_unknown();
  EXPECT_EQ(mapped(map),
            "unallocated 0+1/0, data 1+1/0@top:8, unallocated 2+1/0, zero 3+1/0z, unallocated 4+508/0");
}

// Each hole of the image asks the backing file's same table again: that is no table named too often.
TEST(MapDisk, many_holes_over_one_table_of_the_backing_file_are_all_mapped) {
  MappedImage top_holes(8 * kWindow);
  MappedImage bottom_holes(8 * kWindow);
  for (std::uint64_t window = 0; window < 8; ++window) {
    const std::uint64_t table = (8 + window) * kCluster;
    for (MappedImage* image : {&top_holes, &bottom_holes}) image->set_l1(window, table | kCopied);
    for (std::uint64_t index = 0; index < 512; index += 2) {
      top_holes.put(table + index * 8, std::uint64_t{L2Entry::kZero});
      bottom_holes.put(table + (index + 1) * 8, std::uint64_t{L2Entry::kZero});
    }
  }
  Layer top(top_holes);
  Layer bottom(bottom_holes);
  DiskMap map;
  top.add_to(map, "top");
  bottom.add_to(map, "bottom");
  std::uint64_t extents = 0;
  map.map([&](const MapExtent& extent) {
    EXPECT_EQ(extent.kind, ExtentKind::zero);
    EXPECT_EQ(extent.depth, extents++ % 2);
    return true;
  });
  EXPECT_EQ(extents, 8u * 512u);
}

TEST(MapDisk, damage_is_remembered) {
  MappedImage image;
  image.map(0, 100 * kCluster);
  Layer top(image);
  DiskMap map;
  top.add_to(map, "top");
  EXPECT_EQ(mapped(map), "invalid 0+1/0, unallocated 1+511/0z");
  EXPECT_TRUE(map.any_invalid());
}

}  // namespace
}  // namespace cowvet
