// The program as a whole: what it prints where, and its exit status.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/mapped_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

class MapCommand : public testing::Test {
 protected:
  void write(const std::string& name, const std::vector<std::byte>& bytes) {
    std::ofstream(directory_.file(name), std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void write(const std::string& name, const MemoryImage& image) { write(name, image.encoded()); }

  CommandResult map(const std::string& words) {
    return run_script(fmt::format("{} map {}", COWVET_PROGRAM, words), directory_.path());
  }

  TemporaryDirectory directory_;
};

MappedImage image_with_zero_cluster() {
  MappedImage image;
  image.map(1, L2Entry::kZero);
  image.put(2 * kCluster + 8, std::uint16_t{1});
  return image;
}

TEST_F(MapCommand, prints_a_table_for_people) {
  write("disk", image_with_zero_cluster());
  const CommandResult result = map("disk");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out,
            "Guest offset        Length              Depth  Kind            Host offset         File\n"
            "0x0                 0x1000              0      unallocated\n"
            "0x1000              0x1000              0      zero\n"
            "0x2000              0x1fe000            0      unallocated\n");
}

TEST_F(MapCommand, damaged_metadata_is_status_2_in_either_map) {
  MappedImage image = image_with_zero_cluster();
  image.map(0, 100 * kCluster | kCopied);
  write("disk", image);
  EXPECT_EQ(map("--output json disk").status, 2);
  EXPECT_EQ(map("--clusters disk").status, 2);
}

TEST_F(MapCommand, cluster_map_has_the_status_of_check) {
  MappedImage image = image_with_zero_cluster();
  write("disk", image);
  EXPECT_EQ(map("--clusters disk").status, 0);
  image.put(2 * kCluster + 10, std::uint16_t{1});
  image.put(6 * kCluster - 1, "x");
  write("disk", image);
  const CommandResult leak = map("--clusters disk");
  EXPECT_EQ(leak.status, 3);
  EXPECT_NE(leak.out.find("0x5000              0x1000              leaked\n"), std::string::npos) << leak.out;
}

TEST_F(MapCommand, file_that_is_not_qcow2_is_status_63) {
  write("disk", std::vector<std::byte>(kCluster));
  for (const char* words : {"disk", "--clusters disk"}) {
    const CommandResult result = map(words);
    EXPECT_EQ(result.status, 63);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "cowvet: disk: not a qcow2 image\n");
  }
}

TEST_F(MapCommand, image_that_is_missing_or_has_no_usable_header_is_status_1) {
  EXPECT_EQ(map("disk").status, 1);
  MappedImage image;
  image.header.cluster_bits = 40;
  write("disk", image);
  EXPECT_EQ(map("disk").status, 1);
  EXPECT_EQ(map("--clusters disk").status, 1);
}

TEST_F(MapCommand, backing_file_outside_the_directory_is_followed_only_when_allowed) {
  MappedImage image = image_with_zero_cluster();
  image.header.backing_file_offset = 2048;
  image.header.backing_file_size = 9;
  image.put(2048, "../b/base");
  run_script("mkdir a b; truncate -s 4096 b/base", directory_.path());
  write("a/disk", image);
  const CommandResult refused = map("--output json a/disk");
  EXPECT_EQ(refused.status, 0);
  EXPECT_NE(refused.err.find("was not opened"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.out.find("\"depth\": 1"), std::string::npos) << refused.out;
  const CommandResult followed = map("--output json --follow b a/disk");
  EXPECT_EQ(followed.status, 0);
  EXPECT_EQ(followed.err, "");
  EXPECT_NE(followed.out.find("\"depth\": 1"), std::string::npos) << followed.out;
}

TEST_F(MapCommand, missing_backing_file_makes_the_map_incomplete) {
  MappedImage image = image_with_zero_cluster();
  image.header.backing_file_offset = 2048;
  image.header.backing_file_size = 4;
  image.put(2048, "base");
  write("disk", image);
  const CommandResult result = map("disk");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.out.find("unallocated"), std::string::npos);
}

TEST_F(MapCommand, wrong_words_are_status_1_and_print_nothing) {
  write("disk", image_with_zero_cluster());
  for (const char* words :
       {"", "disk disk", "--output xml disk", "--clusters --snapshot 1 disk", "--snapshot 9 disk"}) {
    const CommandResult result = map(words);
    EXPECT_EQ(result.status, 1) << words;
    EXPECT_EQ(result.out, "") << words;
    EXPECT_NE(result.err, "") << words;
  }
}

TEST_F(MapCommand, full_disk_is_noticed) {
  write("disk", image_with_zero_cluster());
  EXPECT_EQ(map("disk > /dev/full").status, 1);
}

}  // namespace
}  // namespace cowvet
