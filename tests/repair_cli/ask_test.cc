// At a terminal, cowvet-repair asks before it changes anything.
#include <csignal>

#include "tests/repair_cli/repair_cli_test_base.h"
#include "tests/support/terminal_command.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

class Asked : public RepairCliTest {
 protected:
  CommandResult repair_at_terminal(const std::string& options, const std::string& answer) const {
    return run_at_terminal(shell_quote(COWVET_REPAIR_PROGRAM) + " " + options + " a.qcow2", directory_.path(),
                           "? ", answer);
  }
};

TEST_F(Asked, whether_to_carry_out_the_plan_takes_nothing_but_yes_for_yes) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  for (const char* answer : {"n\n", "\n", "yn\n", "no\n", "\x04"}) {
    const CommandResult result = repair_at_terminal("", answer);
    EXPECT_EQ(result.status, 64) << result.out;
    EXPECT_THAT(result.out, HasSubstr("Carry out this plan? [y/N]"));
    EXPECT_THAT(result.out, HasSubstr("not carried out"));
    EXPECT_TRUE(content("a.qcow2") == before) << answer;
    EXPECT_EQ(names(), "a.qcow2");
  }
  EXPECT_EQ(repair_at_terminal("", "y\n").status, 0);
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 0);
}

TEST_F(Asked, ends_at_once_by_a_key_that_interrupts) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  EXPECT_EQ(repair_at_terminal("", "\x03").status, 128 + SIGINT);
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(Asked, nothing_about_a_sound_image_nor_with_yes) {
  make_image("a.qcow2");
  EXPECT_THAT(repair_at_terminal("", "y\n").out, Not(HasSubstr("?")));
  wipe_refcounts("a.qcow2");
  const CommandResult result = repair_at_terminal("--yes", "");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, Not(HasSubstr("?")));
}

TEST_F(Asked, what_to_do_about_a_repair_that_was_interrupted) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  const std::string killed =
      "ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=" + shell_quote(COWVET_SIGNAL_SHIM) +
      " COWVET_TEST_CALL=12 COWVET_TEST_SIGNAL=9 " + shell_quote(COWVET_REPAIR_PROGRAM) +
      " -q --yes a.qcow2 || :";
  shell(killed);
  ASSERT_TRUE(exists("a.qcow2.cowvet-journal"));
  ASSERT_FALSE(content("a.qcow2") == before);
  EXPECT_EQ(repair_at_terminal("", "x\n").status, 64);
  EXPECT_TRUE(exists("a.qcow2.cowvet-journal"));
  EXPECT_EQ(repair_at_terminal("", "b\n").status, 65);
  EXPECT_TRUE(content("a.qcow2") == before);
  shell(killed);
  EXPECT_EQ(repair_at_terminal("", "f\n").status, 0);
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 0);
}

}  // namespace
}  // namespace cowvet
