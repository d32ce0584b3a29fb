#include "checker/analysis/guest_extents.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"
#include "tests/support/sparse_device.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr std::uint64_t kWindow = MappedImage::kWindowBytes;

// "KIND BEGIN+LENGTH[@HOST]" for each extent; numbers in clusters, or in bytes where they are not whole.
std::string in_clusters(std::uint64_t bytes) {
  return bytes % kCluster == 0 ? fmt::format("{}", bytes / kCluster) : fmt::format("{}B", bytes);
}

std::string show(const GuestExtent& extent) {
  const std::string text = fmt::format("{} {}+{}", to_string(extent.kind), in_clusters(extent.guest.offset),
                                       in_clusters(extent.guest.length));
  return extent.host_offset ? fmt::format("{}@{}", text, in_clusters(*extent.host_offset)) : text;
}

std::string walk(Context& context, GuestRange range = {0, ~std::uint64_t{0}},
                 std::uint64_t max_repeats = ExtentWalker::kUnlimited) {
  std::string all;
  ExtentWalker walker(context, active_disk(context), max_repeats);
  walker.walk(range, [&](const GuestExtent& extent) {
    all += fmt::format("{}{}", all.empty() ? "" : ", ", show(extent));
    return true;
  });
  return all;
}

std::string walk(const MemoryImage& image, GuestRange range = {0, ~std::uint64_t{0}},
                 std::uint64_t max_repeats = ExtentWalker::kUnlimited) {
  Examination examination(image);
  EXPECT_TRUE(load_header(examination.context));
  return walk(examination.context, range, max_repeats);
}

TEST(GuestExtents, empty_disk_is_one_unallocated_extent) {
  EXPECT_EQ(walk(MappedImage()), "unallocated 0+512");
  MappedImage huge(kWindow * 500);
  EXPECT_EQ(walk(huge), "unallocated 0+256000");
}

TEST(GuestExtents, disk_without_any_byte_has_no_extent) {
  EXPECT_EQ(walk(MappedImage(0)), "");
}

TEST(GuestExtents, neighbours_alike_and_contiguous_are_merged) {
  MappedImage image;
  image.put(16 * kCluster - 8, std::uint64_t{0});
  for (std::uint64_t cluster = 0; cluster < 3; ++cluster)
    image.map(cluster, ((8 + cluster) * kCluster) | kCopied);
  image.map(3, 12 * kCluster | kCopied);
  image.map(4, L2Entry::kZero);
  image.map(5, L2Entry::kZero);
  image.map(6, 13 * kCluster | kCopied | L2Entry::kZero);
  EXPECT_EQ(walk(image), "data 0+3@8, data 3+1@12, zero 4+2, zero-allocated 6+1@13, unallocated 7+505");
}

TEST(GuestExtents, merging_goes_across_tables) {
  MappedImage image(2 * kWindow);
  image.set_l1(1, 5 * kCluster | kCopied);
  image.put(8 * kCluster - 8, std::uint64_t{0});
  image.map(511, 6 * kCluster | kCopied);
  image.put(5 * kCluster, 7 * kCluster | kCopied);
  EXPECT_EQ(walk(image), "unallocated 0+511, data 511+2@6, unallocated 513+511");
}

TEST(GuestExtents, range_cuts_at_its_ends) {
  MappedImage image;
  image.put(16 * kCluster - 8, std::uint64_t{0});
  image.map(1, 8 * kCluster | kCopied);
  EXPECT_EQ(walk(image, {kCluster + 512, 1024}), "data 4608B+1024B@33280B");
  EXPECT_EQ(walk(image, {kWindow - kCluster, ~std::uint64_t{0}}), "unallocated 511+1");
  EXPECT_EQ(walk(image, {kWindow, 1}), "");
}

TEST(GuestExtents, last_cluster_is_cut_at_the_end_of_the_disk) {
  MappedImage image(kCluster + 512);
  image.put(16 * kCluster - 8, std::uint64_t{0});
  image.map(1, 8 * kCluster | kCopied);
  EXPECT_EQ(walk(image), "unallocated 0+1, data 1+512B@8");
}

TEST(GuestExtents, sink_can_stop_the_walk) {
  MappedImage image;
  image.map(1, L2Entry::kZero);
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  ExtentWalker walker(examination.context, active_disk(examination.context));
  int seen = 0;
  EXPECT_FALSE(walker.walk({0, kWindow}, [&](const GuestExtent&) { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
}

TEST(GuestExtents, pointers_that_cannot_be_followed_are_invalid) {
  MappedImage image(3 * kWindow);
  image.set_l1(1, 4 * kCluster + 512);
  image.set_l1(2, std::uint64_t{1} << 40);
  image.put(8 * kCluster - 8, std::uint64_t{0});
  image.map(0, kCopied);                                       // offset 0, no data file
  image.map(1, 6 * kCluster + 512);                            // not aligned
  image.map(2, 8 * kCluster);                                  // behind the end
  image.map(3, encode_compressed({8 * kCluster, 0}, 12).raw);  // its stream too
  image.map(4, encode_compressed({7 * kCluster + 1000, 0}, 12).raw);
  EXPECT_EQ(walk(image), "invalid 0+4, compressed 4+1, unallocated 5+507, invalid 512+1024");
}

TEST(GuestExtents, zero_flag_of_version_2_is_invalid) {
  MappedImage image;
  image.header.version = 2;
  image.map(0, L2Entry::kZero);
  EXPECT_EQ(walk(image), "invalid 0+1, unallocated 1+511");
}

TEST(GuestExtents, l1_table_too_short_for_the_disk_leaves_the_rest_invalid) {
  MappedImage image(2 * kWindow);
  image.header.l1_size = 1;
  EXPECT_EQ(walk(image), "unallocated 0+512, invalid 512+512");
}

TEST(GuestExtents, data_file_entries_must_lie_at_their_guest_offset) {
  MappedImage image;
  image.use_data_file();
  image.map(0, kCopied);
  image.map(1, 1 * kCluster | kCopied);
  image.map(2, 3 * kCluster | kCopied);  // elsewhere
  image.map(3, kCopied);                 // at offset 0: elsewhere
  image.map(4, 4 * kCluster | L2Entry::kZero | kCopied);
  image.map(5, 6 * kCluster | L2Entry::kZero | kCopied);  // elsewhere
  image.map(6, L2Entry::kZero);
  image.map(7, encode_compressed({4 * kCluster, 0}, 12).raw);
  image.map(400, 400 * kCluster | kCopied);  // behind the end of the image file
  EXPECT_EQ(walk(image),
            "data 0+2@0, invalid 2+2, zero-allocated 4+1@4, invalid 5+1, zero 6+1, invalid 7+1, "
            "unallocated 8+392, data 400+1@400, unallocated 401+111");
}

TEST(GuestExtents, guest_cluster_0_of_a_data_file_without_bit_63_is_unallocated) {
  MappedImage image;
  image.use_data_file();
  EXPECT_EQ(walk(image), "unallocated 0+512");
}

TEST(GuestExtents, subclusters_are_told_apart) {
  constexpr std::uint64_t kBig = 16384;  // the least with extended L2 entries: subclusters of 512 bytes
  MappedImage image(1024 * kBig);
  image.header.cluster_bits = 14;
  image.header.l1_table_offset = 3 * kBig;
  image.header.l1_size = 1;
  image.header.refcount_table_offset = kBig;
  image.header.incompatible_features = kIncompatibleExtendedL2;
  image.put(3 * kBig, 4 * kBig | kCopied);
  image.put(8 * kBig - 8, std::uint64_t{0});
  const auto map = [&](std::uint64_t index, std::uint64_t entry, std::uint64_t bitmap) {
    image.put(4 * kBig + index * 16, entry);
    image.put(4 * kBig + index * 16 + 8, bitmap);
  };
  map(0, 5 * kBig | kCopied, 0xffffffff);
  map(1, 6 * kBig | kCopied, 0x1 | std::uint64_t{0x6} << 32);
  map(2, 0, std::uint64_t{0xffffffff} << 32);
  map(3, 0, 0x1);                                              // allocated without a cluster
  map(4, 7 * kBig | kCopied, 0x3 | std::uint64_t{0x2} << 32);  // both
  map(5, 7 * kBig | kCopied, 0);
  EXPECT_EQ(walk(image),
            "data 0+16896B@20, zero-allocated 16896B+1024B@98816B, unallocated 17920B+14848B, zero 8+4, "
            "invalid 12+512B, unallocated 49664B+15872B, data 16+512B@28, invalid 66048B+512B, "
            "unallocated 66560B+16710656B");
}

TEST(GuestExtents, bit_0_means_nothing_with_extended_l2) {
  MappedImage image;
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  examination.context.header.incompatible_features = kIncompatibleExtendedL2;
  EXPECT_EQ(view_cluster(examination.context, {L2Entry::kZero}, {0}, 0).kind, ExtentKind::unallocated);
}

// An L1 table of 4 Mi entries, most of it a hole: what is not there is not read.
TEST(GuestExtents, holes_of_tables_cost_nothing) {
  constexpr std::uint64_t kEntries = 4 << 20;
  MappedImage image;
  image.header.size = kEntries * kWindow;
  image.header.l1_size = kEntries;
  image.header.l1_table_offset = std::uint64_t{1} << 30;
  SparseDevice device(std::uint64_t{1} << 40, image.encoded());
  std::vector<std::byte> entry(8);
  store_big_endian(entry.data(), MappedImage::kFirstL2 | kCopied);
  device.put((std::uint64_t{1} << 30) + 1000 * 8, entry);
  const Inputs inputs{.image = device};
  const Options options;
  Progress progress;
  Context context(inputs, options, progress);
  ASSERT_TRUE(load_header(context));
  const std::uint64_t before = device.bytes_read();
  EXPECT_EQ(walk(context), fmt::format("unallocated 0+{}", kEntries * 512));
  EXPECT_LT(device.bytes_read() - before, 200'000u);
}

TEST(GuestExtents, table_that_cannot_be_read_is_unreadable_and_the_walk_goes_on) {
  MappedImage image(3 * kWindow);
  image.set_l1(1, 5 * kCluster | kCopied);
  image.set_l1(2, 6 * kCluster | kCopied);
  image.put(7 * kCluster - 8, std::uint64_t{L2Entry::kZero});
  SparseDevice device(7 * kCluster, image.encoded());
  const Inputs inputs{.image = device};
  const Options options;
  Progress progress;
  Context context(inputs, options, progress);
  ASSERT_TRUE(load_header(context));
  device.refuse(5 * kCluster, 5 * kCluster + 1);
  EXPECT_EQ(walk(context), "unallocated 0+512, unreadable 512+512, unallocated 1024+511, zero 1535+1");
}

// An L1 table may name one table over and over: small file, huge disk.
TEST(GuestExtents, tables_named_too_often_become_invalid) {
  MappedImage image(100 * kWindow);
  image.map(0, L2Entry::kZero);
  for (std::uint64_t index = 0; index < 100; ++index) image.set_l1(index, MappedImage::kFirstL2);
  const std::string limited = walk(image, {0, ~std::uint64_t{0}}, 1);
  EXPECT_EQ(limited, "zero 0+1, unallocated 1+511, zero 512+1, unallocated 513+511, invalid 1024+50176");
  EXPECT_EQ(walk(image).size() > limited.size(), true);
}

// The extents of any table cover the range exactly, in order, whatever the entries are.
RC_GTEST_PROP(GuestExtents, extents_tile_the_disk, ()) {
  MappedImage image(kWindow - *rc::gen::inRange<std::uint64_t>(0, 3 * kCluster));
  image.put(64 * kCluster - 8, std::uint64_t{0});
  if (*rc::gen::arbitrary<bool>()) image.use_data_file();
  const auto entries = *rc::gen::container<std::vector<std::uint64_t>>(
      rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(), rc::gen::just<std::uint64_t>(0),
                     rc::gen::map(rc::gen::inRange<std::uint64_t>(0, 70),
                                  [](std::uint64_t cluster) { return cluster * kCluster | kCopied; })));
  for (std::size_t index = 0; index < std::min<std::size_t>(entries.size(), 512); ++index)
    image.map(index, entries[index]);
  Examination examination(image);
  RC_ASSERT(load_header(examination.context));
  ExtentWalker walker(examination.context, active_disk(examination.context));
  const std::uint64_t from = *rc::gen::inRange<std::uint64_t>(0, kWindow);
  const std::uint64_t length = *rc::gen::inRange<std::uint64_t>(0, kWindow);
  std::uint64_t at = from;
  std::optional<GuestExtent> last;
  walker.walk({from, length}, [&](const GuestExtent& extent) {
    RC_ASSERT(extent.guest.offset == at);
    RC_ASSERT(extent.guest.length > 0u);
    if (last && last->kind == extent.kind)
      RC_ASSERT(extent.host_offset && *last->host_offset + last->guest.length != *extent.host_offset);
    at += extent.guest.length;
    last = extent;
    return true;
  });
  RC_ASSERT(at == std::max(from, std::min(from + length, image.header.size)));
}

}  // namespace
}  // namespace cowvet
