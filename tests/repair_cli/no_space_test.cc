// Where there is no room, or no permission, for what a repair needs: the image stays as it was.
#include <sys/resource.h>
#include <unistd.h>

#include "tests/device/loop_device.h"
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

using NoSpace = RepairCliTest;

TEST_F(NoSpace, for_the_journal_or_the_image_leaves_it_as_it_was) {
  // A refcount order that is absurd: the repair makes the file longer, by new refcount blocks and a table.
  make_image("a.qcow2");
  poke("a.qcow2", 96, std::uint32_t{9});
  const std::string old = content("a.qcow2");
  int taken_back = 0;
  int status = 0;
  for (int blocks = 16; blocks < 8000; blocks += 230) {
    const CommandResult result = shell("ulimit -f " + std::to_string(blocks) + "; " +
                                       shell_quote(COWVET_REPAIR_PROGRAM) + " --yes a.qcow2");
    status = result.status;
    if (status == 0) break;
    EXPECT_EQ(status, 65) << blocks << result.err;
    EXPECT_THAT(result.err, HasSubstr("File too large")) << blocks;
    EXPECT_TRUE(content("a.qcow2") == old) << blocks;
    EXPECT_EQ(names(), "a.qcow2") << blocks;
    ++taken_back;
  }
  EXPECT_EQ(status, 0);
  EXPECT_GT(taken_back, 3);
}

TEST_F(NoSpace, on_a_full_file_system_leaves_it_as_it_was_and_a_journal_elsewhere_helps) {
  prepare("mkdir full");
  if (shell("mount -t tmpfs -o size=1536k cowvet-test full").status != 0)
    GTEST_SKIP() << "no file system can be mounted here";
  make_image("full/a.qcow2");
  poke("full/a.qcow2", 96, std::uint32_t{9});
  shell("dd if=/dev/zero of=full/rest bs=4k status=none || :");
  const std::string old = content("full/a.qcow2");
  const CommandResult full = repair("--yes full/a.qcow2");
  EXPECT_EQ(full.status, 65) << full.out;
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  EXPECT_TRUE(content("full/a.qcow2") == old);
  EXPECT_EQ(shell("ls full").out, "a.qcow2\nrest\n");

  const CommandResult still = repair("--yes --journal j full/a.qcow2");
  EXPECT_EQ(still.status, 65) << still.out;
  EXPECT_TRUE(content("full/a.qcow2") == old);
  prepare("truncate -s -256k full/rest");
  EXPECT_EQ(repair("--yes --journal j full/a.qcow2").status, 0);
  EXPECT_EQ(shell("ls full").out, "a.qcow2\nrest\n");
  EXPECT_EQ(names(), "full j.undo");
  prepare("umount full");
}

TEST_F(NoSpace, in_a_directory_that_may_not_be_written_to_is_said_and_nothing_is_changed) {
  prepare("mkdir closed");
  make_wiped_refcounts("closed/a.qcow2");
  const std::string old = content("closed/a.qcow2");
  prepare("chmod 755 . && chmod 666 closed/a.qcow2 && chmod 555 closed");
  // Root may write everywhere.
  const std::string as_nobody = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";
  const CommandResult result =
      shell(as_nobody + shell_quote(COWVET_REPAIR_PROGRAM) + " --yes closed/a.qcow2");
  EXPECT_EQ(result.status, 65) << result.out;
  EXPECT_THAT(result.err, HasSubstr("Permission denied"));
  EXPECT_THAT(result.err, HasSubstr("--journal"));
  EXPECT_TRUE(content("closed/a.qcow2") == old);
  prepare("chmod 755 closed");
  EXPECT_EQ(shell("ls closed").out, "a.qcow2\n");
}

TEST_F(NoSpace, beside_a_block_device_asks_for_a_place_for_the_journal) {
  make_wiped_refcounts("a.qcow2");
  LoopDevice loop(directory_.file("a.qcow2"));
  if (!loop) GTEST_SKIP() << "no loop device: " << loop.why_not();
  const CommandResult refused = repair("--yes " + loop.path());
  EXPECT_EQ(refused.status, 64) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr("--journal PATH"));
  EXPECT_EQ(cowvet("check -q " + loop.path()).status, 2);
  EXPECT_EQ(repair("--dry-run " + loop.path()).status, 2);
  EXPECT_EQ(repair("--yes --journal j " + loop.path()).status, 0);
  EXPECT_EQ(cowvet("check -q " + loop.path()).status, 0);
  EXPECT_EQ(repair("--undo " + loop.path()).status, 64);
  EXPECT_EQ(repair("--undo --journal j " + loop.path()).status, 2);
  EXPECT_EQ(names(), "a.qcow2 j.undo");
  EXPECT_FALSE(exists(loop.path() + ".cowvet-journal"));
}

TEST_F(NoSpace, is_no_trouble_for_a_sound_image_on_a_block_device) {
  make_image("a.qcow2");
  LoopDevice loop(directory_.file("a.qcow2"));
  if (!loop) GTEST_SKIP() << "no loop device: " << loop.why_not();
  EXPECT_EQ(repair("--yes " + loop.path()).status, 0);
}

}  // namespace
}  // namespace cowvet
