#include "checker/analysis/map_clusters.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

std::string mapped(Context& context) {
  run_passes(context);
  std::string text;
  map_clusters(context, [&](const ClusterExtent& extent) {
    text += fmt::format("{}{} {}+{}", text.empty() ? "" : ", ", describe_use(extent),
                        extent.offset / kCluster, divide_up(extent.length, kCluster));
    if (!extent.owner.empty()) text += fmt::format(" of {}", extent.owner);
    return true;
  });
  return text;
}

std::string mapped(const MemoryImage& image) {
  Examination examination(image);
  return mapped(examination.context);
}

void count(MappedImage& image, std::uint64_t cluster, std::uint16_t refcount = 1) {
  image.put(2 * kCluster + cluster * 2, refcount);
}

constexpr std::string_view kFixed =
    "header 0+1, refcount table 1+1, refcount block 2+1, L1 table 3+1, L2 table 4+1";

TEST(MapClusters, metadata_and_data_are_told_apart) {
  MappedImage image;
  image.map(0, 5 * kCluster | kCopied);
  image.map(1, 6 * kCluster | kCopied);
  image.map(2, encode_compressed({8 * kCluster + 10, 0}, 12).raw);
  image.put(9 * kCluster - 1, "x");
  for (const std::uint64_t cluster : {4u, 5u, 6u, 8u}) count(image, cluster);
  EXPECT_EQ(mapped(image), fmt::format("{}, data 5+2, free 7+1, compressed data 8+1", kFixed));
}

TEST(MapClusters, leaks_are_told_from_free_clusters) {
  MappedImage image;
  image.put(9 * kCluster - 1, "x");
  for (const std::uint64_t cluster : {4u, 6u, 7u}) count(image, cluster);
  EXPECT_EQ(mapped(image), fmt::format("{}, free 5+1, leaked 6+2, free 8+1", kFixed));
}

TEST(MapClusters, clusters_that_two_parties_claim_are_contested) {
  MappedImage image;
  image.map(0, 5 * kCluster | kCopied);
  image.map(1, 5 * kCluster | kCopied);
  image.map(2, 4 * kCluster | kCopied);
  image.put(6 * kCluster - 1, "x");
  for (const std::uint64_t cluster : {4u, 5u}) count(image, cluster, 2);
  EXPECT_EQ(mapped(image),
            "header 0+1, refcount table 1+1, refcount block 2+1, L1 table 3+1, contested L2 table 4+1, "
            "contested data 5+1");
}

TEST(MapClusters, sink_can_stop_the_map) {
  Examination examination{MappedImage()};
  run_passes(examination.context);
  int seen = 0;
  EXPECT_FALSE(map_clusters(examination.context, [&](const ClusterExtent&) { return ++seen < 3; }));
  EXPECT_EQ(seen, 3);
}

// A file of a pebibyte that is nearly all hole.
TEST(MapClusters, holes_cost_nothing) {
  MappedImage image;
  image.map(0, 5 * kCluster | kCopied);
  for (const std::uint64_t cluster : {4u, 5u}) count(image, cluster);
  SparseDevice device(std::uint64_t{1} << 50, image.encoded());
  const Inputs inputs{.image = device};
  const Options options{.threads = 1};
  Progress progress;
  Context context(inputs, options, progress);
  EXPECT_EQ(mapped(context), fmt::format("{}, data 5+1, free 6+274877906938", kFixed));
}

// Clusters so far apart that their references need several windows.
TEST(MapClusters, memory_cap_changes_nothing) {
  MappedImage image;
  for (std::uint64_t i = 0; i < 16; ++i) image.map(i, (i + 1) * 100'000 * kCluster | kCopied);
  SparseDevice device(std::uint64_t{1} << 40, image.encoded());
  const Inputs inputs{.image = device};
  Progress progress;
  std::vector<std::string> maps;
  for (const std::uint64_t cap : {std::uint64_t{0}, std::uint64_t{1}}) {
    const Options options{.threads = 1, .max_memory_bytes = cap};
    Context context(inputs, options, progress);
    maps.push_back(mapped(context));
  }
  EXPECT_THAT(maps[0], testing::HasSubstr("data 1500000+1, free 1500001+99999, data 1600000+1"));
  EXPECT_EQ(maps[0], maps[1]);
}

}  // namespace
}  // namespace cowvet
