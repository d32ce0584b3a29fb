// Files that cannot be what the command line takes them for: each message says which one and why, and nothing
// is written.
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

class RepairOfBadFiles : public RepairCliTest {
 protected:
  RepairOfBadFiles() {
    make_wiped_refcounts("a.qcow2");
    make_wiped_refcounts("b.qcow2");
    prepare("mkdir d && mkfifo fifo && ln -s loop loop && ln -s nowhere dangling && echo text > text");
    prepare("head -c 50 a.qcow2 > short && truncate -s 0 empty");
    EXPECT_EQ(cowvet("check -q --plan plan a.qcow2").status, 2);
    prepare("head -c 300 plan > cut && sed 's/\"step\"/\"stop\"/' plan > other");
  }
};

TEST_F(RepairOfBadFiles, names_them_and_writes_nothing) {
  const std::string before = names();
  for (const auto& [arguments, status, reason] :
       {std::tuple("missing", 1, "missing: No such file or directory"),
        {"dangling", 1, "dangling: No such file or directory"},
        {"loop", 1, "loop: Too many levels of symbolic links"},
        {"d", 1, "d is a directory"},
        {"fifo", 1, "fifo is a FIFO"},
        {"/dev/null", 1, "/dev/null is a character device"},
        {"''", 1, "an empty name names no file"},
        {"short", 1, "short: nothing can be repaired here"},
        {"empty", 63, "--choose header/magic=rebuild, which looks for tables"},
        {"--plan missing a.qcow2", 1, "the plan 'missing' cannot be read: No such file or directory"},
        {"--plan d a.qcow2", 1, "the plan 'd' cannot be read: Is a directory"},
        {"--plan text a.qcow2", 1, "text is no plan: line 1: not JSON at byte 2"},
        {"--plan cut a.qcow2", 1, "cut is no plan: line 2: not JSON at byte "},
        {"--plan other a.qcow2", 1, "other is no plan: line 2: key 'step' not found"},
        {"--plan /dev/null a.qcow2", 1, "/dev/null is no plan: the plan ends before its last line"},
        {"--plan plan b.qcow2", 64, "the plan was made for another file than b.qcow2"},
        {"--donor missing short", 1, "missing: No such file or directory"},
        {"--donor text short", 1, "text is not a qcow2 image"},
        {"--journal missing/j a.qcow2", 64, "cannot open missing/j: No such file or directory"},
        {"--journal d a.qcow2", 64, "cannot open d: Is a directory"},
        {"--output b.qcow2 a.qcow2", 64, "b.qcow2 is there already"},
        {"--output missing/new a.qcow2", 1, "missing/new"},
        {"--output new missing", 1, "missing: No such file or directory"}}) {
    const CommandResult result = repair("--yes " + std::string(arguments));
    EXPECT_EQ(result.status, status) << arguments << '\n' << result.err;
    EXPECT_THAT(result.err, HasSubstr(reason)) << arguments;
    EXPECT_THAT(result.err, Not(HasSubstr("filesystem error"))) << arguments;
  }
  for (const auto& [arguments, reason] :
       {std::pair("--undo a.qcow2", "there is no "),
        {"--undo --undo-file missing a.qcow2", "there is no missing"},
        {"--undo --undo-file text a.qcow2", "text is damaged or incomplete"},
        {"--resume a.qcow2", "there is no unfinished repair"},
        {"--rollback a.qcow2", "there is no unfinished repair"}}) {
    const CommandResult result = repair(arguments);
    EXPECT_EQ(result.status, 64) << arguments;
    EXPECT_THAT(result.err, HasSubstr(reason)) << arguments;
  }
  EXPECT_EQ(names(), before);
}

TEST_F(RepairOfBadFiles, says_of_a_directory_without_rights_that_it_is_the_image_that_cannot_be_opened) {
  if (geteuid() == 0 && shell("setpriv --reuid 65534 true").status != 0) GTEST_SKIP() << "no other user";
  prepare("mkdir closed && cp a.qcow2 closed && chmod 700 closed && chmod 755 .");
  const std::string as_other = geteuid() == 0 ? "setpriv --reuid 65534 --regid 65534 --clear-groups " : "";
  if (geteuid() != 0) prepare("chmod 0 closed");
  // The programs may lie where the other user may not go.
  prepare("cp " + shell_quote(COWVET_REPAIR_PROGRAM) + " cowvet-repair");
  for (const char* options : {"--dry-run", "--yes", "--yes --output new"}) {
    const CommandResult result = shell(as_other + "./cowvet-repair " + options + " closed/a.qcow2");
    EXPECT_EQ(result.status, 1) << options;
    EXPECT_EQ(result.err, "cowvet-repair: closed/a.qcow2: Permission denied\n") << options;
  }
  if (geteuid() != 0) prepare("chmod 700 closed");
}

TEST_F(RepairOfBadFiles, takes_the_undo_file_of_another_image_for_what_it_is) {
  EXPECT_EQ(repair("-q --yes b.qcow2").status, 0);
  const std::string before = content("a.qcow2");
  const CommandResult undo = repair("--undo --undo-file b.qcow2.cowvet-undo a.qcow2");
  EXPECT_EQ(undo.status, 64) << undo.out << undo.err;
  prepare("cp b.qcow2.cowvet-undo a.qcow2.cowvet-journal");
  for (const char* arguments :
       {"--yes a.qcow2", "--resume a.qcow2", "--rollback a.qcow2", "--undo a.qcow2"}) {
    const CommandResult result = repair(arguments);
    EXPECT_EQ(result.status, 64) << arguments << result.out;
    EXPECT_THAT(result.err, HasSubstr("a.qcow2")) << arguments;
  }
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_TRUE(content("a.qcow2.cowvet-journal") == content("b.qcow2.cowvet-undo"));
}

TEST_F(RepairOfBadFiles, does_not_call_what_it_could_not_open_qcow2) {
  EXPECT_THAT(repair("--yes --json missing").out, HasSubstr("\"format\": null,"));
  EXPECT_THAT(repair("--yes --json empty").out, HasSubstr("\"format\": null,"));
  EXPECT_THAT(repair("--yes --json a.qcow2").out, HasSubstr("\"format\": \"qcow2\","));
}

TEST_F(RepairOfBadFiles, says_that_no_copy_was_made_of_what_is_sound) {
  make_image("sound");
  EXPECT_THAT(repair("--yes --output new sound").out,
              HasSubstr("new was not made, because nothing is to be repaired"));
  EXPECT_FALSE(exists("new"));
}

}  // namespace
}  // namespace cowvet
