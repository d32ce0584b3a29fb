// Repairs that are interrupted at any moment, and what the next start makes of them.
#include <csignal>

#include "checker/device/file_device.h"
#include "repair/journal.h"
#include "tests/repair_cli/repair_cli_test_base.h"
#include "tests/support/background_command.h"

namespace cowvet {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::StartsWith;

constexpr int kMostCalls = 200;  // of one repair; there are some thirty

class Interrupted : public RepairCliTest {
 protected:
  void SetUp() override {
    make_wiped_refcounts("a.qcow2");
    old_ = content("a.qcow2");
    ASSERT_EQ(repair("--yes --no-undo a.qcow2").status, 0);
    new_ = content("a.qcow2");
    ASSERT_FALSE(old_ == new_);
    start_again();
  }
  void start_again() const {
    prepare("rm -f a.qcow2.cowvet-*");
    write("a.qcow2", old_);
  }
  static std::string signal_at(int call, int signal, const std::string& more = "") {
    return "ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=" + shell_quote(COWVET_SIGNAL_SHIM) +
           " COWVET_TEST_CALL=" + std::to_string(call) + " COWVET_TEST_SIGNAL=" + std::to_string(signal) +
           " " + more + " " + shell_quote(COWVET_REPAIR_PROGRAM) + " ";
  }
  bool is_old() const { return content("a.qcow2") == old_; }
  bool is_new() const { return content("a.qcow2") == new_; }
  // Leaves the image with a sealed journal, and returns the number of the call that did not come to pass.
  int interrupt() const {
    for (int call = 1; call < kMostCalls; ++call) {
      start_again();
      run_at(call, SIGKILL, "-q --yes --no-undo a.qcow2");
      const auto journal = FileDevice::open(directory_.file("a.qcow2.cowvet-journal"));
      if (journal && read_journal(**journal).value().stage == JournalStage::sealed &&
          (!is_old() || is_version_2_))
        return call;
    }
    throw std::runtime_error("never in between");
  }
  CommandResult run_at(int call, int signal, const std::string& options, const std::string& more = "") const {
    return shell(signal_at(call, signal, more) + options);
  }

  std::string old_;
  std::string new_;
  bool is_version_2_ = false;  // then nothing shows before the one block is written
};

TEST_F(Interrupted, by_a_kill_at_any_call_is_old_or_new_after_the_next_start) {
  int in_between = 0;
  for (const char* half : {"", "COWVET_TEST_HALF=1"}) {
    int status = 0;
    for (int call = 1; call < kMostCalls; ++call) {
      start_again();
      status = run_at(call, SIGKILL, "-q --yes a.qcow2", half).status;
      if (status == 0) break;
      EXPECT_EQ(status, 128 + SIGKILL) << call;
      const bool was_done = exists("a.qcow2.cowvet-undo");
      if (!is_old() && !is_new()) {
        ++in_between;
        EXPECT_TRUE(exists("a.qcow2.cowvet-journal")) << call;
      }
      const CommandResult next = repair("-q --yes a.qcow2");
      EXPECT_THAT(next.status, AnyOf(Eq(0), Eq(65))) << call << next.err;
      EXPECT_TRUE(is_old() || is_new()) << call;
      EXPECT_TRUE(is_new() || !was_done) << call;
      EXPECT_FALSE(exists("a.qcow2.cowvet-journal")) << call;
    }
    EXPECT_EQ(status, 0);
  }
  EXPECT_GT(in_between, 3);
}

TEST_F(Interrupted, by_a_kill_goes_the_way_that_the_user_says) {
  for (const bool forward : {true, false}) {
    interrupt();
    const CommandResult result = repair(forward ? "--resume a.qcow2" : "--rollback a.qcow2");
    EXPECT_EQ(result.status, forward ? 0 : 65) << result.err;
    EXPECT_TRUE(forward ? is_new() : is_old());
    EXPECT_FALSE(exists("a.qcow2.cowvet-journal"));
    EXPECT_EQ(exists("a.qcow2.cowvet-undo"), forward);
  }
}

TEST_F(Interrupted, by_a_kill_is_said_first_and_nothing_else_is_begun) {
  interrupt();
  const std::string between = content("a.qcow2");
  const std::string listed = names();
  for (const char* options : {"", "--dry-run", "--undo", "--yes --output new"}) {
    const CommandResult result = repair(std::string(options) + " a.qcow2");
    EXPECT_EQ(result.status, 64) << options;
    EXPECT_THAT(result.err, HasSubstr("was interrupted")) << options;
    EXPECT_THAT(result.err, HasSubstr("--rollback")) << options;
  }
  const CommandResult check = cowvet("check a.qcow2");
  EXPECT_EQ(check.status, 1);
  EXPECT_THAT(check.out, StartsWith("a.qcow2 must not be used: a repair of it was interrupted"));
  EXPECT_THAT(check.out, HasSubstr("cowvet-repair --resume"));
  EXPECT_THAT(cowvet("check --output json a.qcow2").out, HasSubstr("\"verdict\": \"repair-unfinished\""));
  EXPECT_EQ(cowvet("check -q --plan p a.qcow2").status, 1);
  EXPECT_NE(shell("qemu-io -c 'write 0 512' a.qcow2").status, 0);
  EXPECT_EQ(names(), listed);
  EXPECT_TRUE(content("a.qcow2") == between);
}

TEST_F(Interrupted, by_a_signal_at_any_call_ends_in_old_or_new_with_no_journal_left) {
  int taken_back = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    for (int call = 1; call < kMostCalls; ++call) {
      start_again();
      const CommandResult result = run_at(call, signal, "-q --yes --no-undo a.qcow2");
      ASSERT_THAT(result.status, AnyOf(Eq(0), Eq(65))) << call << result.err;
      EXPECT_TRUE(result.status == 0 ? is_new() : is_old()) << call;
      EXPECT_EQ(names(), "a.qcow2") << call;
      if (result.status == 0) break;
      EXPECT_THAT(result.err, HasSubstr("interrupted"));
      ++taken_back;
    }
  }
  EXPECT_GT(taken_back, 10);
}

TEST_F(Interrupted, by_signals_again_and_again_is_taken_back_all_the_same) {
  for (int call = 1; call < 30; call += 4) {
    start_again();
    const CommandResult result =
        run_at(call, SIGINT, "-q --yes --no-undo a.qcow2", "COWVET_TEST_REPEAT=1000");
    ASSERT_THAT(result.status, AnyOf(Eq(0), Eq(65))) << call;
    EXPECT_TRUE(result.status == 0 ? is_new() : is_old()) << call;
  }
}

TEST_F(Interrupted, by_a_signal_after_any_time_is_old_or_new) {
  for (int milliseconds = 1; milliseconds < 30; ++milliseconds) {
    start_again();
    shell("timeout -s INT 0.0" + std::string(milliseconds < 10 ? "0" : "") + std::to_string(milliseconds) +
          " " + COWVET_REPAIR_PROGRAM + " -q --yes --no-undo a.qcow2 || :");
    EXPECT_TRUE(is_old() || is_new()) << milliseconds;
    EXPECT_EQ(names(), "a.qcow2") << milliseconds;
  }
}

TEST_F(Interrupted, by_a_signal_that_was_ignored_from_the_start_is_not) {
  const CommandResult result = shell("trap '' HUP; " + signal_at(8, SIGHUP) + "-q --yes a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_TRUE(is_new());
}

TEST_F(Interrupted, by_the_end_of_who_reads_its_output_is_not) {
  const std::string program = shell_quote(COWVET_REPAIR_PROGRAM);
  EXPECT_THAT(shell("{ " + program + " --yes a.qcow2 || echo $? >&2; } | true").err,
              HasSubstr("Broken pipe"));
  EXPECT_TRUE(is_new());
  start_again();
  EXPECT_EQ(shell(program + " --yes a.qcow2 >&- 2>&-").status, 1);
  EXPECT_TRUE(is_new());
}

TEST_F(Interrupted, in_the_middle_is_closed_to_qemu_and_finished_when_it_may_go_on) {
  const int call = interrupt();
  start_again();
  BackgroundCommand repairing("exec env " + signal_at(call, SIGSTOP) + "--yes a.qcow2", directory_.path());
  const std::string state = "/proc/" + std::to_string(repairing.process()) + "/stat";
  while (shell("cut -d' ' -f3 " + state).out == "T\n" ? false : !is_new()) {
  }
  ASSERT_TRUE(exists("a.qcow2.cowvet-journal"));
  for (const char* command :
       {"qemu-io -c 'write 0 512' a.qcow2", "qemu-io -r -c 'read 0 512' a.qcow2", "qemu-img check a.qcow2"}) {
    const CommandResult qemu = shell(std::string(command) + " 2>&1");
    EXPECT_NE(qemu.status, 0) << command;
    EXPECT_THAT(qemu.out, HasSubstr("lock")) << command;
  }
  EXPECT_EQ(repair("--yes a.qcow2").status, 64);
  EXPECT_THAT(cowvet("check a.qcow2").err, HasSubstr("in use"));
  kill(repairing.process(), SIGCONT);
  EXPECT_EQ(repairing.finish(), 0);
  EXPECT_TRUE(is_new());
}

TEST_F(Interrupted, with_its_journal_elsewhere_is_finished_from_there) {
  prepare("mkdir elsewhere");
  int taken_back = 0;
  for (int call = 1; call < kMostCalls; call += 3) {
    start_again();
    const int status = run_at(call, SIGKILL, "-q --yes --journal elsewhere/j a.qcow2").status;
    if (status == 0) break;
    EXPECT_THAT(names(), AnyOf(Eq("a.qcow2 elsewhere"), Eq("a.qcow2 a.qcow2.cowvet-journal elsewhere")));
    if (!is_old() && !is_new()) {
      const CommandResult check = cowvet("check a.qcow2");
      EXPECT_EQ(check.status, 1) << call;
      EXPECT_THAT(shell("echo '" + check.out + "' | tr -d ' \\n'").out, HasSubstr("/elsewhere/j")) << call;
      EXPECT_THAT(cowvet("check --journal elsewhere/j a.qcow2").out, HasSubstr("interrupted")) << call;
      EXPECT_EQ(repair("--rollback --journal other a.qcow2").status, 64) << call;
      prepare("mv elsewhere/j elsewhere/k");
      EXPECT_THAT(repair("--yes a.qcow2").err, HasSubstr("--journal PATH says where it is now")) << call;
      prepare("mv elsewhere/k elsewhere/j");
      const CommandResult result = repair("--rollback a.qcow2");
      EXPECT_EQ(names(), "a.qcow2 elsewhere");
      // What was committed is done, and only the mark was left to be cleared.
      EXPECT_THAT(result.status, AnyOf(Eq(0), Eq(65))) << call;
      EXPECT_TRUE(result.status == 0 ? is_new() : is_old()) << call;
      if (result.status == 0) {
        EXPECT_THAT(result.err, HasSubstr("--undo takes it back"));
      }
      taken_back += result.status == 65 ? 1 : 0;
    }
    prepare("rm -f elsewhere/*");
  }
  EXPECT_GT(taken_back, 1);
}

// Of version 2, after the machine went down: no mark tells whether a third party wrote.
TEST_F(Interrupted, by_the_machine_going_down_with_version_2_asks_for_the_direction) {
  prepare("qemu-img create -q -f qcow2 -o compat=0.10 a.qcow2 64M && qemu-io -c 'write -P 7 0 1M' a.qcow2");
  wipe_refcounts("a.qcow2");
  old_ = content("a.qcow2");
  is_version_2_ = true;
  interrupt();
  const std::string path = directory_.file("a.qcow2.cowvet-journal");
  const auto file = FileDevice::open(path).value();
  Journal journal = read_journal(*file).value();
  journal.boot_id[0] ^= std::byte{1};
  std::string bytes;
  const auto append = [&](std::span<const std::byte> piece) {
    bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    return std::expected<void, std::string>{};
  };
  const JournalSeal seal = encode_journal(journal, append).value();
  append(encode_mark(seal, JournalStage::sealed)).value();
  write("a.qcow2.cowvet-journal", bytes);
  poke("a.qcow2", journal.changes.changes.back().offset + 8, std::uint64_t{0x1234567890});

  const CommandResult asked = repair("--yes a.qcow2");
  EXPECT_EQ(asked.status, 64) << asked.err;
  EXPECT_THAT(asked.err, HasSubstr("--rollback or --resume"));
  EXPECT_EQ(repair("--rollback a.qcow2").status, 65);
  EXPECT_TRUE(is_old());
}

TEST_F(Interrupted, with_a_data_file_is_finished_from_any_directory) {
  prepare(
      "mkdir sub && cd sub && qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on a.qcow2 1M && "
      "qemu-io -c 'write -P 7 0 1M' a.qcow2 && truncate -s 1000k data");
  for (int call = 1; call < kMostCalls; ++call) {
    const CommandResult result = run_at(call, SIGKILL, "-q --yes sub/a.qcow2");
    ASSERT_NE(result.status, 0);
    if (content("sub/a.qcow2.cowvet-journal").empty()) continue;
    const CommandResult next = shell("cd / && " + shell_quote(COWVET_REPAIR_PROGRAM) + " -q --resume " +
                                     shell_quote(directory_.file("sub/a.qcow2")));
    if (next.status == 65) continue;  // it had not begun
    EXPECT_EQ(next.status, 0) << next.err;
    EXPECT_EQ(content("sub/data").size(), 1u << 20);
    return;
  }
  FAIL() << "never begun";
}

}  // namespace
}  // namespace cowvet
