// The record of kept leaks, as text, and what is believed of it.
#include "checker/planning/kept_record.h"

#include <gtest/gtest.h>

#include <fstream>

#include "checker/device/memory_device.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

constexpr unsigned kBits = 12;
constexpr std::uint64_t kCluster = 1 << kBits;

// Eight clusters, each of its own number.
std::vector<std::byte> numbered_clusters() {
  std::vector<std::byte> bytes(8 * kCluster);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i / kCluster + 1);
  return bytes;
}

std::vector<KeptRun> runs_of(const Device& image) {
  std::vector<KeptRun> runs;
  add_kept_runs(image, 2, 2, kBits, runs);
  add_kept_runs(image, 6, 1, kBits, runs);
  return runs;
}

ClusterSet all_leaked() {
  ClusterSet leaked;
  for (std::uint64_t cluster = 0; cluster < 8; ++cluster) leaked.add(cluster);
  return leaked;
}

TEST(KeptRecord, is_read_as_it_was_written) {
  const MemoryDevice image(numbered_clusters());
  const std::vector<KeptRun> runs = runs_of(image);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(decode_kept_record(encode_kept_record(runs)), runs);
  EXPECT_EQ(decode_kept_record(encode_kept_record({})), std::vector<KeptRun>());
}

TEST(KeptRecord, is_not_believed_with_any_bit_flipped) {
  const MemoryDevice image(numbered_clusters());
  const std::string text = encode_kept_record(runs_of(image));
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(decode_kept_record(flipped)) << bit;
  }
}

TEST(KeptRecord, is_not_believed_without_its_tail_or_with_another_one) {
  const MemoryDevice image(numbered_clusters());
  const std::string text = encode_kept_record(runs_of(image));
  for (std::size_t length = 0; length < text.size(); ++length)
    EXPECT_FALSE(decode_kept_record(text.substr(0, length))) << length;
  EXPECT_FALSE(decode_kept_record(text + "\n"));
  EXPECT_FALSE(decode_kept_record(text + text));
}

TEST(KeptRecord, may_say_anything_and_names_no_cluster_that_is_not_there) {
  constexpr std::uint64_t kHuge = ~std::uint64_t{0};
  const MemoryDevice image(numbered_clusters());
  const auto hash = *hash_clusters(image, 2 * kCluster, kCluster, kBits);
  const KeptRun hostile[] = {
      {kHuge, kHuge, hash},
      {2 * kCluster, kHuge & ~(kCluster - 1), hash},
      {2 * kCluster, (kMostKeptClusters + 1) * kCluster, hash},
      {kHuge & ~(kCluster - 1), kCluster, hash},
      {2 * kCluster, 0, hash},
      {2 * kCluster + 1, kCluster, hash},
      {2 * kCluster, kCluster - 1, hash},
      {8 * kCluster, kCluster, hash},
  };
  for (const KeptRun& run : hostile) {
    const auto record = decode_kept_record(encode_kept_record({run}));
    ASSERT_TRUE(record);
    EXPECT_TRUE(find_kept(image, *record, all_leaked(), kBits).empty()) << run.offset << ' ' << run.length;
  }
  EXPECT_FALSE(decode_kept_record("cowvet-kept 1\n99999999999999999999999 1 1\nend 0\n"));
}

TEST(KeptRecord, says_nothing_about_another_image_and_nothing_about_clusters_in_use) {
  const MemoryDevice image(numbered_clusters());
  const std::vector<KeptRun> runs = runs_of(image);
  const ClusterSet kept = find_kept(image, runs, all_leaked(), kBits);
  for (std::uint64_t cluster = 0; cluster < 8; ++cluster)
    EXPECT_EQ(kept.contains(cluster), cluster == 2 || cluster == 3 || cluster == 6) << cluster;

  std::vector<std::byte> bytes = numbered_clusters();
  std::ranges::reverse(bytes);
  EXPECT_TRUE(find_kept(MemoryDevice(bytes), runs, all_leaked(), kBits).empty());
  ClusterSet one_leaked;
  one_leaked.add(3);
  const ClusterSet still = find_kept(image, runs, one_leaked, kBits);
  EXPECT_TRUE(still.contains(3));
  EXPECT_FALSE(still.contains(2));
}

TEST(KeptRecord, is_a_file_or_nothing_was_kept) {
  const TemporaryDirectory directory;
  const std::string path = directory.file("record");
  EXPECT_EQ(read_kept_record(path), std::vector<KeptRun>());
  const std::vector<KeptRun> runs{{kCluster, kCluster, 7}};
  std::ofstream(path) << encode_kept_record(runs);
  EXPECT_EQ(read_kept_record(path), runs);
  std::filesystem::create_symlink(path, directory.file("link"));
  EXPECT_FALSE(read_kept_record(directory.file("link")));
  std::filesystem::create_directory(directory.file("directory"));
  EXPECT_FALSE(read_kept_record(directory.file("directory")));
  std::filesystem::resize_file(path, std::uint64_t{65} << 20);
  const auto large = read_kept_record(path);
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().find("larger than any record"), std::string::npos);
}

TEST(KeptRecord, is_joined_with_another_without_repetition) {
  const KeptRun a{kCluster, kCluster, 1}, b{2 * kCluster, kCluster, 2}, c{3 * kCluster, kCluster, 3};
  EXPECT_EQ(join_kept({c, a}, {b, a}), (std::vector<KeptRun>{a, b, c}));
}

}  // namespace
}  // namespace cowvet
