// cowvet pack and unpack, as a user sends a broken image.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Pack : public CliTest {
 protected:
  // Guest data that begins with "secret" in every sector.
  void write_secret(const std::string& image, const std::string& where) const {
    prepare("yes secret | head -c 512 > sector; qemu-io -c 'write -s sector " + where + "' " + image);
  }
  // Under one name, whatever the image's own.
  std::string report(const std::string& image, const std::string& options = "") const {
    prepare("ln -f " + image + " IMAGE");
    return cowvet("check --output=json --limit 0 " + options + " IMAGE").out;
  }
  void expect_nothing_secret(const std::string& file) const {
    EXPECT_EQ(shell("grep -c secret " + file).out, "0\n") << file;
  }
};

TEST_F(Pack, says_the_same_once_unpacked_and_holds_no_guest_data) {
  make_image("a");
  write_secret("a", "0 1M");
  prepare("qemu-img snapshot -c before a; qemu-img bitmap --add a nightly");
  write_secret("a", "8M 1M");
  poke("a", l2_offset("a"), peek("a", l2_offset("a") + 8));              // cross-linked
  poke("a", l2_offset("a") + std::uint64_t{8} * 130, std::uint64_t{0});  // a leak full of secrets
  poke("a", l2_offset("a") + 8, std::uint64_t{4});                       // reserved bits
  EXPECT_EQ(cowvet("check -q a").status, 2);
  ASSERT_EQ(shell("grep -c secret a").out == "0\n", false);

  const CommandResult packed = cowvet("pack a -o p");
  EXPECT_EQ(packed.status, 0) << packed.err;
  EXPECT_THAT(packed.out, HasSubstr("without guest data"));
  EXPECT_LT(std::filesystem::file_size(directory_.file("p")), 4000U);
  EXPECT_EQ(cowvet("unpack p -o b").status, 0);
  EXPECT_EQ(report("b"), report("a"));
  EXPECT_THAT(report("b"), HasSubstr("refcount/leak"));
  expect_nothing_secret("p");
  expect_nothing_secret("b");
}

TEST_F(Pack, unpacks_to_a_sparse_file) {
  prepare("qemu-img create -q -f qcow2 a 2T; qemu-io -c 'write 1T 1M' a; truncate -s 1T a");
  EXPECT_EQ(cowvet("pack a -o p").status, 0);
  EXPECT_EQ(cowvet("unpack p -o b").status, 0);
  struct stat status{};
  ASSERT_EQ(stat(directory_.file("b").c_str(), &status), 0);
  EXPECT_EQ(status.st_size, std::int64_t{1} << 40);
  EXPECT_LT(status.st_blocks, 4096);
  EXPECT_EQ(report("b"), report("a"));
}

TEST_F(Pack, holds_a_data_file_without_its_content) {
  prepare("qemu-img create -q -f qcow2 -o data_file=a.raw,data_file_raw=on a 64M");
  write_secret("a", "0 1M");
  prepare("yes secret | dd of=a.raw bs=64k seek=500 count=2 iflag=fullblock conv=notrunc status=none");
  for (const std::uint64_t index : {500, 501}) poke("a", l2_offset("a") + 8 * index, std::uint64_t{0});
  EXPECT_EQ(cowvet("check -q a").status, 2);
  EXPECT_EQ(cowvet("pack a -o p").status, 0);
  EXPECT_EQ(cowvet("unpack p -o b").out,
            "The image has an external data file: check it with --data-file b.data\n");
  const std::string with_data_file = report("a", "--data-file a.raw");
  EXPECT_THAT(with_data_file, HasSubstr("data-file/raw-unmapped"));
  EXPECT_EQ(shell("cp b.data a.raw").status, 0);
  EXPECT_EQ(report("b", "--data-file a.raw"), with_data_file);
  for (const char* file : {"p", "b", "b.data"}) expect_nothing_secret(file);
}

TEST_F(Pack, with_deep_says_the_same_of_compressed_clusters) {
  prepare("yes secret | head -c 4M > raw; qemu-img convert -c -O qcow2 raw a");
  const std::uint64_t stream = peek("a", l2_offset("a") + 8) & 0xffffffffffff;
  poke("a", stream & ~std::uint64_t{7}, ~std::uint64_t{0});
  EXPECT_EQ(cowvet("check -q --deep a").status, 2);
  EXPECT_EQ(cowvet("pack --deep a -o p").status, 0);
  EXPECT_EQ(cowvet("unpack p -o b").status, 0);
  EXPECT_EQ(report("b", "--deep"), report("a", "--deep"));
  EXPECT_THAT(report("b", "--deep"), HasSubstr("l2/compressed-undecodable"));
  EXPECT_EQ(shell("qemu-img convert --salvage -O raw b raw2 2>/dev/null; grep -c secret raw2 || true").out,
            "0\n");
}

TEST_F(Pack, asks_before_it_keeps_what_may_be_guest_data) {
  prepare("qemu-img create -q -f qcow2 a 2G");
  write_secret("a", "0 1M");
  // A data cluster that is named as an L2 table as well.
  poke("a", peek("a", 40) + 8, peek("a", l2_offset("a")));
  const CommandResult refused = cowvet("pack a -o p");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("--keep-doubtful"));
  EXPECT_FALSE(std::filesystem::exists(directory_.file("p")));
  const CommandResult packed = cowvet("pack --keep-doubtful a -o p");
  EXPECT_EQ(packed.status, 0) << packed.err;
  EXPECT_THAT(packed.out, HasSubstr("Guest data may be in 1 cluster"));
  EXPECT_EQ(cowvet("unpack p -o b").status, 0);
  EXPECT_EQ(report("b"), report("a"));
}

TEST_F(Pack, can_hide_names) {
  make_corrupt("base");
  prepare(
      "qemu-img create -q -f qcow2 -b base -F qcow2 a 64M; qemu-img snapshot -c topsecret a;"
      "qemu-img bitmap --add a hushhush");
  EXPECT_EQ(cowvet("pack --blank-names a -o p").status, 0);
  EXPECT_EQ(cowvet("unpack p -o b").status, 0);
  EXPECT_EQ(shell("grep -cE 'topsecret|hushhush|base' b").out, "0\n");
  EXPECT_EQ(cowvet("check -q b").status, cowvet("check -q a").status);
  EXPECT_EQ(shell("grep -c topsecret a").out, "1\n");
}

TEST_F(Pack, never_overwrites_a_file) {
  make_image("a");
  prepare("cp a before");
  EXPECT_THAT(cowvet("pack a -o a").err, HasSubstr("must be a new file"));
  EXPECT_EQ(cowvet("pack a -o p").status, 0);
  EXPECT_EQ(cowvet("unpack p -o a").status, 1);
  prepare("cmp a before; ln -s target link");
  EXPECT_EQ(cowvet("unpack p -o link").status, 1);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("target")));
}

TEST_F(Pack, that_is_damaged_leaves_no_file_behind) {
  make_image("a");
  EXPECT_EQ(cowvet("pack a -o p").status, 0);
  prepare("head -c 200 p > cut");
  const CommandResult result = cowvet("unpack cut -o b");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("the pack is damaged"));
  EXPECT_FALSE(std::filesystem::exists(directory_.file("b")));
  EXPECT_THAT(cowvet("unpack --max-size 1k p -o b").err, HasSubstr("more than was allowed"));
  EXPECT_FALSE(std::filesystem::exists(directory_.file("b")));
}

TEST_F(Pack, is_not_made_of_other_files) {
  prepare("echo secret > text");
  EXPECT_EQ(cowvet("pack text -o p").status, 63);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("p")));
}

}  // namespace
}  // namespace cowvet
