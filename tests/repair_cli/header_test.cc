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

TEST_F(LostHeader, needs_a_donor_that_is_an_image) {
  make_lost_header();
  prepare("echo no image > donor");
  EXPECT_EQ(repair("--yes --donor donor a.qcow2").status, 1);
  EXPECT_EQ(repair("--yes --donor missing a.qcow2").status, 1);
}

}  // namespace
}  // namespace cowvet
