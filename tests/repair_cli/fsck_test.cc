// cowvet-repair under the name fsck.qcow2: options and status of fsck(8).
#include <filesystem>

#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

class Fsck : public RepairCliTest {
 protected:
  Fsck() { std::filesystem::create_symlink(COWVET_REPAIR_PROGRAM, directory_.file("fsck.qcow2")); }
  CommandResult fsck(const std::string& arguments) const { return shell("./fsck.qcow2 " + arguments); }
};

TEST_F(Fsck, of_a_sound_image_is_0) {
  make_image("a.qcow2");
  for (const char* options : {"", "-a", "-p", "-y", "-n", "-f -v -C 0", "-C0"})
    EXPECT_EQ(fsck(std::string(options) + " a.qcow2").status, 0) << options;
}

TEST_F(Fsck, corrects_errors_and_says_1) {
  for (const char* option : {"-a", "-p", "-y"}) {
    make_wiped_refcounts("a.qcow2");
    EXPECT_EQ(fsck(std::string(option) + " a.qcow2").status, 1) << option;
    EXPECT_EQ(fsck("-n a.qcow2").status, 0) << option;
  }
}

TEST_F(Fsck, writes_its_progress_as_e2fsck_does) {
  make_wiped_refcounts("a.qcow2");
  for (const char* option : {"-C 3", "-C3"}) {
    EXPECT_EQ(fsck("-n " + std::string(option) + " a.qcow2 3>lines").status, 4);
    EXPECT_EQ(shell("grep -cvE '^[1-5] [0-9]+ [0-9]+ a[.]qcow2$' lines; test -s lines").out, "0\n") << option;
  }
  for (const char* wrong : {"-C 77 a.qcow2", "-Cx a.qcow2", "a.qcow2 -C"})
    EXPECT_EQ(fsck(std::string("-n ") + wrong).status, 16) << wrong;
}

TEST_F(Fsck, without_consent_leaves_errors_and_says_4) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  EXPECT_EQ(fsck("-n a.qcow2").status, 4);
  EXPECT_EQ(fsck("-n -y a.qcow2").status, 4);
  EXPECT_EQ(fsck("a.qcow2").status, 12) << "nobody to ask";
  EXPECT_TRUE(content("a.qcow2") == before);
}

TEST_F(Fsck, never_gives_up_guest_data) {
  make_lossy("a.qcow2");
  const std::string before = content("a.qcow2");
  EXPECT_EQ(fsck("-y a.qcow2").status & 4, 4);
  EXPECT_TRUE(content("a.qcow2") == before);
}

TEST_F(Fsck, says_8_where_there_is_nothing_to_check_and_16_to_wrong_words) {
  write("empty", "");
  EXPECT_EQ(fsck("-n empty").status, 8);
  EXPECT_EQ(fsck("-n missing").status & 8, 8);
  EXPECT_EQ(fsck("-x a.qcow2").status, 16);
  EXPECT_EQ(fsck("").status, 16);
  EXPECT_EQ(fsck("a b").status, 16);
  EXPECT_EQ(fsck("--help").status, 0);
  EXPECT_THAT(fsck("-V").out, HasSubstr("fsck.qcow2"));
}

TEST_F(Fsck, is_what_fsck_runs_for_the_type_qcow2) {
  make_wiped_refcounts("a.qcow2");
  const CommandResult result = shell("PATH=\"$PWD:$PATH:/sbin:/usr/sbin\" fsck -t qcow2 \"$PWD/a.qcow2\" -y");
  EXPECT_EQ(result.status, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("a.qcow2 was repaired"));
}

}  // namespace
}  // namespace cowvet
