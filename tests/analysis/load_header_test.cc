#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "tests/support/memory_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

// The rules that fire on the image with its header changed.
std::string fired_with(auto&& change) {
  MemoryImage image;
  change(image);
  Examination examination(image);
  load_header(examination.context);
  return examination.fired();
}

std::string fired_on_bytes(std::vector<std::byte> bytes) {
  Examination examination(std::move(bytes));
  EXPECT_FALSE(load_header(examination.context));
  return examination.fired();
}

TEST(LoadHeader, sound_image_fires_nothing_and_gives_geometry_and_areas) {
  Examination examination{MemoryImage()};
  ASSERT_TRUE(load_header(examination.context));
  EXPECT_EQ(examination.fired(), "");
  const Geometry& geometry = examination.context.geometry;
  EXPECT_EQ(geometry.cluster_bytes, kCluster);
  EXPECT_EQ(geometry.file_clusters, 4u);
  EXPECT_EQ(geometry.l2_entries, 512u);
  EXPECT_EQ(geometry.l2_window_bytes, 2u << 20);
  EXPECT_EQ(geometry.guest_clusters, 256u);
  ASSERT_EQ(examination.context.areas.size(), 3u);
  EXPECT_EQ(examination.context.areas[1].offset, 3 * kCluster);
  EXPECT_EQ(examination.context.areas[1].length, 8u);
  EXPECT_TRUE(examination.context.l1_usable);
  EXPECT_TRUE(examination.context.refcount_table_usable);
  EXPECT_TRUE(examination.context.report.header_usable);
}

TEST(LoadHeader, files_that_are_not_qcow2_end_the_analysis) {
  EXPECT_EQ(fired_on_bytes({}), "header/magic");
  EXPECT_EQ(fired_on_bytes(std::vector<std::byte>(3)), "header/magic");
  EXPECT_EQ(fired_on_bytes(std::vector<std::byte>(65536)), "header/magic");
}

TEST(LoadHeader, header_cut_short_is_truncated) {
  std::vector<std::byte> bytes = MemoryImage().encoded();
  bytes.resize(103);
  EXPECT_EQ(fired_on_bytes(bytes), "header/truncated");
  bytes.resize(5);
  EXPECT_EQ(fired_on_bytes(bytes), "header/truncated");
}

TEST(LoadHeader, only_versions_2_and_3_are_known) {
  EXPECT_EQ(fired_with([](MemoryImage& image) { image.header.version = 4; }), "header/version");
  EXPECT_EQ(fired_with([](MemoryImage& image) { image.header.version = 2; }), "");
  Examination predecessor([] {
    MemoryImage image;
    image.header.version = 1;
    return image.encoded();
  }());
  EXPECT_FALSE(load_header(predecessor.context));
  EXPECT_FALSE(predecessor.context.report.is_qcow2);
}

TEST(LoadHeader, cluster_sizes_are_bounded_and_larger_with_extended_l2) {
  const auto with_bits = [](std::uint32_t bits, std::uint64_t features) {
    return fired_with([=](MemoryImage& image) {
      image.header.cluster_bits = bits;
      image.header.incompatible_features = features;
      image.header.size = 0;
      image.header.l1_size = 0;
      image.header.l1_table_offset = 0;
      image.header.refcount_table_offset = std::uint64_t{1} << (bits & 31);
      image.bytes.resize(4u << (bits < 22 ? bits : 9));
    });
  };
  EXPECT_EQ(with_bits(8, 0), "header/cluster-bits");
  EXPECT_EQ(with_bits(9, 0), "");
  EXPECT_EQ(with_bits(13, kIncompatibleExtendedL2), "header/cluster-bits");
  EXPECT_EQ(with_bits(14, kIncompatibleExtendedL2), "");
  EXPECT_EQ(with_bits(21, 0), "");
  EXPECT_EQ(with_bits(22, 0), "header/cluster-bits");
  EXPECT_EQ(with_bits(0xffffffff, 0), "header/cluster-bits");
}

TEST(LoadHeader, unknown_incompatible_bit_is_named_by_the_image_and_ends_the_analysis) {
  MemoryImage image;
  image.header.incompatible_features = std::uint64_t{1} << 40;
  std::string table(48, '\0');
  table[1] = 40;
  table.replace(2, 9, "time\ntrip");
  image.add_extension(static_cast<std::uint32_t>(ExtensionType::feature_names), table);
  Examination examination(image);
  EXPECT_FALSE(load_header(examination.context));
  EXPECT_EQ(examination.fired(), "header/unknown-incompatible");
  EXPECT_EQ(examination.first("header/unknown-incompatible").detail,
            R"(unknown feature bits are set: 40 "time\ntrip")");
  EXPECT_FALSE(examination.context.report.header_usable);
}

TEST(LoadHeader, version_2_header_with_version_3_features_is_noticed) {
  MemoryImage image;
  image.header.compatible_features = kCompatibleLazyRefcounts;
  std::vector<std::byte> bytes = image.encoded();
  bytes[7] = std::byte{2};
  Examination examination(bytes);
  ASSERT_TRUE(load_header(examination.context));
  EXPECT_EQ(examination.fired(), "header/lazy-without-v3");
}

TEST(LoadHeader, header_length_is_derived_from_the_extensions) {
  MemoryImage image;
  image.header.incompatible_features = kIncompatibleCompression;
  image.header.compression_type = 1;
  image.add_extension(0xe2792aca, "raw");
  std::vector<std::byte> bytes = image.encoded();
  bytes[103] = std::byte{111};
  Examination examination(bytes);
  ASSERT_TRUE(load_header(examination.context));
  EXPECT_EQ(examination.fired(), "header/length");
  EXPECT_EQ(examination.first("header/length").expected, 112u);
  EXPECT_EQ(examination.context.header.compression_type, 1);
}

TEST(LoadHeader, table_that_touches_clusters_behind_the_file_is_outside) {
  const auto l1_entries = [](std::uint32_t entries) {
    return fired_with([=](MemoryImage& image) {
      image.header.l1_size = entries;
      image.bytes.resize(3 * kCluster + 8);  // a fresh image ends inside its last cluster
    });
  };
  EXPECT_EQ(l1_entries(512), "");
  EXPECT_EQ(l1_entries(513), "header/l1-outside");
}

TEST(LoadHeader, offsets_near_the_end_of_the_number_line_do_not_wrap) {
  EXPECT_EQ(fired_with([](MemoryImage& image) { image.header.l1_table_offset = ~std::uint64_t{0xfff}; }),
            "header/l1-outside");
  EXPECT_EQ(fired_with([](MemoryImage& image) { image.header.size = ~std::uint64_t{511}; }),
            "header/size-beyond-l1");
}

TEST(LoadHeader, disk_of_size_zero_needs_no_l1_table) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              image.header.size = 0;
              image.header.l1_size = 0;
              image.header.l1_table_offset = 0;
            }),
            "");
}

TEST(LoadHeader, unusable_refcount_width_leaves_the_mapping_examined) {
  MemoryImage image;
  image.header.refcount_order = 7;
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  EXPECT_EQ(examination.fired(), "header/refcount-order");
  EXPECT_FALSE(examination.context.refcount_table_usable);
  EXPECT_TRUE(examination.context.l1_usable);
}

TEST(LoadHeader, unusable_l1_table_may_hide_references) {
  MemoryImage image;
  image.header.l1_table_offset += 512;
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  EXPECT_EQ(examination.fired(), "header/l1-unaligned");
  EXPECT_FALSE(examination.context.l1_usable);
  EXPECT_EQ(examination.context.unknown_references.size(), 1u);
}

}  // namespace
}  // namespace cowvet
