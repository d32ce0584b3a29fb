// What must not be reported: each kind of image that a careless checker calls damaged. Every test first shows
// that its image really is of that kind.
#include <algorithm>
#include <filesystem>

#include "tests/qemu/image_file.h"
#include "tests/qemu/sound_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

class NoFalseAlarm : public testing::Test {
 protected:
  // Makes disk.qcow2.
  void make(const std::string& commands) {
    commands_ = commands;
    const CommandResult made = run_script(with_helpers(commands), directory_.path());
    ASSERT_EQ(made.status, 0) << made.out << made.err;
  }
  ImageFile open() const { return ImageFile(directory_.path() / "disk.qcow2"); }

  void expect_sound(const std::set<std::string>& notices = {}) {
    expect_sound_in(directory_.path(), {.name = "", .commands = commands_, .notices = notices});
  }

  std::filesystem::path file(const char* name) const { return directory_.path() / name; }

 private:
  TemporaryDirectory directory_;
  std::string commands_;
};

TEST_F(NoFalseAlarm, for_preallocated_zero_clusters) {
  make("create disk.qcow2 1M\nio -c 'write -P 1 0 1M' -c 'write -z 0 512k'");
  const L2Entry entry = open().l2_entry(3);
  ASSERT_TRUE(entry.zero());
  ASSERT_NE(entry.host_offset(), 0u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_compressed_clusters_that_share_a_host_cluster) {
  make("create disk.qcow2 1M\nio -c 'write -c -s pattern 0 64k' -c 'write -c -s pattern 64k 64k'");
  const ImageFile image = open();
  const auto first = decode_compressed(image.l2_entry(0), 16);
  const auto second = decode_compressed(image.l2_entry(1), 16);
  ASSERT_EQ(first.offset >> 16, second.offset >> 16);
  ASSERT_EQ(image.refcount(first.offset >> 16), 2u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_compressed_clusters_that_share_a_sector) {
  make("create disk.qcow2 1M\nio -c 'write -c -P 1 0 64k' -c 'write -c -P 2 64k 64k'");
  const ImageFile image = open();
  const auto first = decode_compressed(image.l2_entry(0), 16);
  const auto second = decode_compressed(image.l2_entry(1), 16);
  ASSERT_EQ(first.offset / 512, second.offset / 512);
  expect_sound();
}

// Old programs counted sectors of 512 bytes in 32 bits here. The clusters before it are holes of the file.
TEST_F(NoFalseAlarm, for_compressed_clusters_behind_4_GiB_of_the_file) {
  make(
      "create -o preallocation=metadata disk.qcow2 4G\nqemu-img resize -q -f qcow2 disk.qcow2 5G\n"
      "io -c 'write -c -s pattern 4G 64k' -c 'write -c -s pattern 4295032832 64k'");
  const ImageFile image = open();
  const L2Entry entry = image.l2_entry(65536);
  ASSERT_TRUE(entry.compressed());
  ASSERT_GT(decode_compressed(entry, 16).offset, std::uint64_t{1} << 32);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_compressed_data_in_a_last_cluster_written_only_in_part) {
  make("seq 1 100000 >raw; qemu-img convert -c -f raw -O qcow2 raw disk.qcow2");
  ASSERT_NE(open().size_bytes() % 65536, 0u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_a_last_compressed_cluster_whose_last_sector_is_cut) {
  make("seq 1 100000 >raw; qemu-img convert -c -f raw -O qcow2 raw disk.qcow2");
  // The stream ends inside its last sector; the rest of that sector need not exist.
  const std::uint64_t whole = open().size_bytes();
  std::vector<std::byte> tail = open().read(whole - 512, 512);
  std::uint64_t zeros = 0;
  while (zeros < 512 && tail[511 - zeros] == std::byte{0}) ++zeros;
  ASSERT_GT(zeros, 0u);
  std::filesystem::resize_file(file("disk.qcow2"), whole - zeros);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_a_last_cluster_half_past_the_end_of_the_file) {
  make("create disk.qcow2 1M\nio -c 'write -P 1 0 4k'\ntruncate -s -32k disk.qcow2");
  const ImageFile image = open();
  ASSERT_GT(image.l2_entry(0).host_offset() + 65536, image.size_bytes());
  ASSERT_LT(image.l2_entry(0).host_offset(), image.size_bytes());
  expect_sound();
}

TEST_F(NoFalseAlarm, for_an_l1_table_longer_than_needed) {
  make("create -o cluster_size=512 disk.qcow2 1M\nqemu-img resize -q -f qcow2 --shrink disk.qcow2 64k");
  const Header header = open().header();
  ASSERT_GT(header.l1_size, header.size / (512 * 64));
  expect_sound();
}

TEST_F(NoFalseAlarm, for_vm_state_beyond_the_virtual_size) {
  if (run_script("command -v qemu-system-x86_64").status != 0) GTEST_SKIP() << "no qemu-system-x86_64 here";
  make("create -o cluster_size=4k disk.qcow2 1M\nmonitor 'isapc -m 2' 'savevm one' 'loadvm one'");
  const ImageFile image = open();
  ASSERT_GT(image.snapshots().at(0).vm_state_size(), 4096u);
  // QEMU puts it behind the last L1 entry of the disk, in the snapshot's table and, after loadvm, in the
  // active.
  ASSERT_NE(image.l1_entry(1).l2_offset(), 0u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_refcounts_above_1_that_snapshots_explain) {
  make(
      "create disk.qcow2 1M\nio -c 'write -P 1 0 1M'\nfor i in 1 2 3; do qemu-img snapshot -c $i disk.qcow2; "
      "done");
  const ImageFile image = open();
  ASSERT_EQ(image.refcount(image.l2_entry(0).host_offset() >> 16), 4u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_copied_bits_in_inactive_tables) {
  make("create disk.qcow2 1M\nio -c 'write -P 1 0 1M'\nqemu-img snapshot -c one disk.qcow2");
  const ImageFile image = open();
  const L1Entry inactive{image.read_u64(image.snapshots().at(0).l1_table_offset)};
  ASSERT_TRUE(inactive.copied());
  ASSERT_EQ(image.refcount(inactive.l2_offset() >> 16), 2u);
  expect_sound();
}

// The active disk has its own L2 table now: that of the snapshot is exclusively the snapshot's, unmarked.
TEST_F(NoFalseAlarm, for_copied_bits_missing_in_inactive_tables) {
  make(
      "create disk.qcow2 1M\nio -c 'write -P 1 0 1M'\nqemu-img snapshot -c one disk.qcow2\nio -c 'write -P 2 "
      "0 1M'");
  const ImageFile image = open();
  const L1Entry inactive{image.read_u64(image.snapshots().at(0).l1_table_offset)};
  ASSERT_EQ(image.refcount(inactive.l2_offset() >> 16), 1u);
  const L2Entry entry{image.read_u64(inactive.l2_offset())};
  ASSERT_FALSE(entry.copied());
  ASSERT_EQ(image.refcount(entry.host_offset() >> 16), 1u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_a_luks_header_area_that_was_never_written) {
  make("luks_create cluster_size=64k 1M");
  const ImageFile image = open();
  const auto cluster = image.first_cluster();
  const ExtensionWalk walk = walk_extensions(cluster, image.header().header_length, cluster.size());
  const auto at = std::ranges::find(walk.extensions, ExtensionType::luks, &Extension::type);
  ASSERT_NE(at, walk.extensions.end());
  const LuksPointer area = decode_luks_pointer(at->data).value();
  // Only the first key slot has key material; what lies behind it is allocated, and here not even in the
  // file.
  const std::uint64_t written = area.offset + 4096 + 256 * 1024;
  ASSERT_LT(written, area.offset + area.length);
  std::filesystem::resize_file(file("disk.qcow2"), written);
  const auto cowvet = run_script(shell_quote(COWVET_PROGRAM) + " check disk.qcow2", file("."));
  EXPECT_EQ(cowvet.status, 0) << cowvet.out << cowvet.err;  // `qemu-img check` finds an error and leaks here
}

TEST_F(NoFalseAlarm, for_empty_entries_in_the_refcount_table) {
  make(R"sh(create -o cluster_size=512 disk.qcow2 4M
io -c 'write -P 1 2M 2M' -c 'write -P 2 0 2M' -c 'discard 2M 2M'
qemu-img resize -q -f qcow2 --shrink disk.qcow2 2M)sh");
  const ImageFile image = open();
  const auto table = image.table(image.header().refcount_table_offset, 32);
  ASSERT_EQ(table[5], 0u);
  ASSERT_NE(table[20], 0u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_zero_clusters_with_their_offset_in_images_with_a_data_file) {
  make("create -o data_file=data disk.qcow2 1M\nio -c 'write -P 1 0 1M' -c 'write -z 0 512k'");
  const L2Entry entry = open().l2_entry(3);
  ASSERT_TRUE(entry.zero());
  ASSERT_EQ(entry.host_offset(), 3u * 65536);
  expect_sound({"data-file/name-relative"});
}

TEST_F(NoFalseAlarm, for_an_image_without_a_snapshot_table) {
  make("create disk.qcow2 1M");
  ASSERT_EQ(open().header().snapshots_offset, 0u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_a_snapshot_table_that_is_empty_again) {
  make("create disk.qcow2 1M\nqemu-img snapshot -c one disk.qcow2\nqemu-img snapshot -d one disk.qcow2");
  ASSERT_EQ(open().header().nb_snapshots, 0u);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_unknown_extensions) {
  make("create disk.qcow2 1M");
  ImageFile image = open();
  const auto cluster = image.first_cluster();
  const ExtensionWalk walk = walk_extensions(cluster, image.header().header_length, cluster.size());
  std::vector<Extension> extensions = walk.extensions;
  const auto data = image.read(0, 13);
  extensions.push_back({.type = static_cast<ExtensionType>(0x6d797374), .data = data});
  std::vector<std::byte> area;
  encode_extensions(extensions, area);
  image.write(image.header().header_length, area);
  ASSERT_EQ(run_script("qemu-img info disk.qcow2", file(".")).status, 0);
  expect_sound();
}

TEST_F(NoFalseAlarm, for_a_header_of_version_3_without_compression_type) {
  make("create disk.qcow2 1M");
  ImageFile image = open();
  auto header = image.read(0, 104);
  store_big_endian<std::uint32_t>(header.data() + 100, 104);
  std::vector<std::byte> area = image.read(112, 4096);
  area.resize(4096 + 8);
  image.write(0, header);
  image.write(104, area);
  ASSERT_EQ(image.read_u64(96), 0x0000000400000068u);
  expect_sound();
}

}  // namespace
}  // namespace cowvet
