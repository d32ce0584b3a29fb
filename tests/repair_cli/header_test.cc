// An image whose first cluster is gone, brought back with consent: by what lies in the file, or by a donor.
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

class LostHeader : public RepairCliTest {
 protected:
  // a.qcow2 without its first cluster; whole.qcow2 as it was.
  void make_lost_header() {
    prepare(
        "qemu-img create -q -f qcow2 whole.qcow2 3G && "
        "qemu-io -c 'write -P 7 0 1M' -c 'write -P 8 2G 1M' whole.qcow2 && "
        "cp whole.qcow2 a.qcow2 && "
        "dd if=/dev/zero of=a.qcow2 bs=64k count=1 conv=notrunc status=none");
  }
};

TEST_F(LostHeader, is_not_guessed_without_consent) {
  make_lost_header();
  const std::string before = content("a.qcow2");
  const CommandResult result = repair("--yes a.qcow2");
  EXPECT_EQ(result.status, 63);
  EXPECT_THAT(result.err, HasSubstr("--choose header/magic"));
  EXPECT_TRUE(content("a.qcow2") == before);
}

TEST_F(LostHeader, is_written_anew_from_the_tables_in_the_file) {
  make_lost_header();
  const std::string before = content("a.qcow2");
  const CommandResult result = repair("--yes --choose header/magic=rebuild:3221225472 a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(shell("qemu-img compare -s a.qcow2 whole.qcow2").status, 0);
  EXPECT_EQ(shell("qemu-img check -q a.qcow2").status, 0);
  EXPECT_EQ(repair("--undo a.qcow2").status, 63);  // the state after it
  EXPECT_TRUE(content("a.qcow2") == before);
}

TEST_F(LostHeader, is_written_anew_with_what_a_donor_knows) {
  make_lost_header();
  prepare("qemu-img create -q -f qcow2 donor.qcow2 3G");
  const CommandResult result = repair("--yes --donor donor.qcow2 a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(shell("qemu-img compare -s a.qcow2 whole.qcow2").status, 0);
  EXPECT_EQ(shell("qemu-img check -q a.qcow2").status, 0);
}

// As QEMU makes them: the guest reads the same before and after, and QEMU writes to it again.
TEST_F(LostHeader, is_rebuilt_on_images_of_every_kind_bit_for_bit) {
  for (const char* options :
       {"cluster_size=512", "cluster_size=4k", "cluster_size=2M", "compat=0.10", "extended_l2=on",
        "refcount_bits=64,cluster_size=1k", "refcount_bits=1", "compression_type=zstd",
        "preallocation=metadata,cluster_size=4k", "lazy_refcounts=on,cluster_size=64k"}) {
    SCOPED_TRACE(options);
    const bool one_bit = std::string_view(options) == "refcount_bits=1";
    prepare("rm -f *; qemu-img create -q -f qcow2 -o " + std::string(options) +
            " whole.qcow2 24M && qemu-io -c 'write -P 7 0 1M' -c 'write -P 8 23M 1M' " +
            (one_bit ? "" : "-c 'write -P 5 5M 9M' ") + "-c 'write -z 1M 128k' whole.qcow2");
    if (!one_bit)
      prepare("qemu-img snapshot -c first whole.qcow2 && qemu-io -c 'write -P 9 512k 64k' whole.qcow2");
    prepare(
        "cp whole.qcow2 a.qcow2 && size=$(qemu-img info whole.qcow2 | awk '/^cluster_size/ {print $2}') && "
        "dd if=/dev/urandom of=a.qcow2 bs=$size count=1 conv=notrunc status=none");
    const CommandResult result = repair("--yes --choose header/magic=rebuild:25165824 a.qcow2");
    EXPECT_EQ(result.status, 0) << result.err << result.out;
    EXPECT_EQ(shell("qemu-img compare a.qcow2 whole.qcow2").status, 0);
    if (!one_bit)
      prepare(
          "for i in a whole; do qemu-img convert -l snapshot.name=first -O raw $i.qcow2 $i.raw; done; "
          "cmp a.raw whole.raw");
    EXPECT_EQ(shell("qemu-img check -q a.qcow2").status, 0);
    EXPECT_EQ(repair("--yes a.qcow2").status, 0);
    EXPECT_EQ(shell("qemu-io -c 'write -P 3 2M 1M' a.qcow2 && qemu-img check -q a.qcow2").status, 0);
  }
}

TEST_F(LostHeader, is_rebuilt_with_the_keys_that_are_in_the_file) {
  prepare(
      // QEMU gives up at times, when it finds its key derivation too fast to be timed.
      "for i in $(seq 100); do qemu-img create -q -f qcow2 --object secret,id=s,data=abc -o "
      "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10,cluster_size=4k whole.qcow2 8M 2>log && "
      "break; done; image=driver=qcow2,encrypt.key-secret=s,file.filename=; "
      "qemu-io --object secret,id=s,data=abc -c 'write -P 7 1M 3M' --image-opts ${image}whole.qcow2 && "
      "cp whole.qcow2 a.qcow2 && dd if=/dev/zero of=a.qcow2 bs=4k count=1 conv=notrunc status=none");
  const CommandResult result = repair("--yes --deep --choose header/magic=rebuild a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err << result.out;
  EXPECT_EQ(shell("qemu-img compare --object secret,id=s,data=abc --image-opts "
                  "driver=qcow2,encrypt.key-secret=s,file.filename=a.qcow2 "
                  "driver=qcow2,encrypt.key-secret=s,file.filename=whole.qcow2")
                .status,
            0);
}

TEST_F(LostHeader, is_rebuilt_with_its_bitmaps_which_no_backup_may_rest_on) {
  make_lost_header();
  prepare(
      "qemu-img bitmap --add whole.qcow2 daily && qemu-io -c 'write -P 3 1G 1M' whole.qcow2 && "
      "cp whole.qcow2 a.qcow2 && dd if=/dev/zero of=a.qcow2 bs=64k count=1 conv=notrunc status=none");
  const CommandResult result = repair("--yes --choose header/magic=rebuild:3221225472 a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err << result.out;
  EXPECT_THAT(result.out, HasSubstr("1 bitmap is marked"));
  EXPECT_EQ(shell("qemu-img compare -s a.qcow2 whole.qcow2 && qemu-img check -q a.qcow2").status, 0);
  EXPECT_THAT(shell("qemu-img info --output=json a.qcow2").out, HasSubstr("in-use"));
  EXPECT_EQ(shell("qemu-img bitmap --remove a.qcow2 daily && qemu-img check -q a.qcow2").status, 0);
}

TEST_F(LostHeader, is_rebuilt_for_the_data_file_that_the_user_names) {
  prepare(
      "qemu-img create -q -f qcow2 -o data_file=disk.raw whole.qcow2 3G && "
      "qemu-io -c 'write -P 7 0 1M' -c 'write -P 8 2G 1M' whole.qcow2 && cp whole.qcow2 a.qcow2 && "
      "dd if=/dev/zero of=a.qcow2 bs=64k count=1 conv=notrunc status=none");
  const std::string before = content("a.qcow2");
  EXPECT_NE(repair("--yes --choose header/magic=rebuild a.qcow2").status, 0);
  EXPECT_TRUE(content("a.qcow2") == before);
  const CommandResult result = repair("--yes --data-file disk.raw --choose header/magic=rebuild a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err << result.out;
  EXPECT_EQ(shell("qemu-img compare -s a.qcow2 whole.qcow2 && qemu-img check -q a.qcow2").status, 0);
  EXPECT_THAT(shell("qemu-img info a.qcow2").out, HasSubstr("data file: disk.raw"));
}

TEST_F(LostHeader, needs_a_donor_that_is_an_image) {
  make_lost_header();
  prepare("echo no image > donor");
  EXPECT_EQ(repair("--yes --donor donor a.qcow2").status, 1);
  EXPECT_EQ(repair("--yes --donor missing a.qcow2").status, 1);
}

}  // namespace
}  // namespace cowvet
