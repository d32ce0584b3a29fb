// cowvet-repair --output: the image is only read, and the repaired copy is there in full or not at all.
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;

using RepairedCopy = RepairCliTest;

TEST_F(RepairedCopy, is_what_the_repair_in_place_would_have_made) {
  make_wiped_refcounts("a.qcow2");
  const std::string old = content("a.qcow2");
  prepare("chmod a-w a.qcow2 && touch -d '2001-02-03' a.qcow2");
  const std::string status = shell("stat -c '%s %X %Y %Z %a' a.qcow2").out;
  const CommandResult result = repair("--yes --output new a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("new was repaired.\nnew is sound: No errors were found"));
  EXPECT_EQ(shell("stat -c '%s %X %Y %Z %a' a.qcow2").out, status);
  EXPECT_TRUE(content("a.qcow2") == old);
  EXPECT_EQ(names(), "a.qcow2 new");
  prepare("chmod u+w a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  EXPECT_TRUE(content("a.qcow2") == content("new"));
}

// As for cowvet check; both meanings may be wanted at once.
TEST_F(RepairedCopy, is_not_made_of_the_name_of_a_format) {
  make_wiped_refcounts("a.qcow2");
  const nlohmann::json outcome =
      nlohmann::json::parse(repair("--yes --output=json --output new a.qcow2").out);
  EXPECT_EQ(
      outcome,
      nlohmann::json::parse(
          shell("rm new; " + shell_quote(COWVET_REPAIR_PROGRAM) + " --yes --json --output new a.qcow2").out));
  EXPECT_EQ(names(), "a.qcow2 new");
  EXPECT_THAT(repair("--yes --output=human --output ./json a.qcow2").out, HasSubstr("was repaired"));
  EXPECT_EQ(names(), "a.qcow2 json new");
  EXPECT_EQ(nlohmann::json::parse(repair("--yes --output=json a.qcow2").out).at("ending"), "repaired");
}

TEST_F(RepairedCopy, keeps_the_holes_of_the_image) {
  prepare("qemu-img create -q -f qcow2 -o preallocation=metadata a.qcow2 4G");
  wipe_refcounts("a.qcow2");
  EXPECT_EQ(repair("-q --yes --output new a.qcow2").status, 0);
  EXPECT_EQ(shell("stat -c %s a.qcow2").out, shell("stat -c %s new").out);
  const auto kilobytes = [&](const char* name) { return std::stol(shell("du -k " + std::string(name)).out); };
  EXPECT_LT(kilobytes("new"), 4096);
  EXPECT_LT(kilobytes("a.qcow2"), 4096);
}

TEST_F(RepairedCopy, shares_its_blocks_with_the_image_where_the_file_system_can) {
  if (shell("truncate -s 400M disk && PATH=$PATH:/sbin:/usr/sbin mkfs.xfs -q disk && mkdir m && mount -o "
            "loop disk m")
          .status != 0)
    GTEST_SKIP() << "no XFS can be mounted here";
  const auto used = [&] { return std::stol(shell("sync m; df -k --output=used m | tail -1").out); };
  prepare("qemu-img create -q -f qcow2 m/a.qcow2 1G && qemu-io -c 'write -P 7 0 100M' m/a.qcow2");
  wipe_refcounts("m/a.qcow2");
  const long before = used();
  const CommandResult result = repair("--yes --output m/new m/a.qcow2");
  const long after = used();
  const int sound = cowvet("check -q m/new").status;
  prepare("umount m");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(sound, 0);
  EXPECT_LT(after - before, 10'000);
}

TEST_F(RepairedCopy, never_replaces_a_file) {
  make_wiped_refcounts("a.qcow2");
  prepare("echo mine >new; ln -s nowhere link");
  for (const char* name : {"new", "link", "a.qcow2"}) {
    const CommandResult result = repair("--yes --output " + std::string(name) + " a.qcow2");
    EXPECT_EQ(result.status, 64) << name;
    EXPECT_THAT(result.err, HasSubstr("is there already"));
  }
  EXPECT_EQ(content("new"), "mine\n");
  EXPECT_EQ(names(), "a.qcow2 link new");
  EXPECT_EQ(repair("--yes --output missing/new a.qcow2").status, 1);
}

TEST_F(RepairedCopy, is_not_made_where_there_is_nothing_to_repair_or_no_consent) {
  make_image("a.qcow2");
  EXPECT_EQ(repair("--yes --output new a.qcow2").status, 0);
  EXPECT_EQ(names(), "a.qcow2");
  make_lossy("a.qcow2");
  EXPECT_EQ(repair("--yes --output new a.qcow2").status, 64);
  wipe_refcounts("a.qcow2");
  EXPECT_EQ(repair("--output new a.qcow2").status, 64);
  EXPECT_EQ(repair("--dry-run --output new a.qcow2").status, 2);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(RepairedCopy, is_removed_when_it_cannot_be_finished) {
  make_wiped_refcounts("a.qcow2");
  const std::string old = content("a.qcow2");
  for (const int blocks : {8, 100, 2000, 2687}) {
    const CommandResult result = shell("ulimit -f " + std::to_string(blocks) + "; " +
                                       shell_quote(COWVET_REPAIR_PROGRAM) + " --yes --output new a.qcow2");
    EXPECT_THAT(result.status, AnyOf(Eq(1), Eq(65))) << blocks << result.err;
    EXPECT_THAT(result.err, HasSubstr("File too large"));
    EXPECT_EQ(names(), "a.qcow2") << blocks;
  }
  EXPECT_TRUE(content("a.qcow2") == old);
}

TEST_F(RepairedCopy, is_there_in_full_or_not_at_all_when_it_is_interrupted) {
  make_wiped_refcounts("a.qcow2");
  ASSERT_EQ(repair("-q --yes --output right a.qcow2").status, 0);
  const std::string right = content("right");
  const std::string old = content("a.qcow2");
  prepare("rm right");
  for (const int signal : {SIGTERM, SIGKILL})
    for (int call = 1; call < 200; ++call) {
      const CommandResult result = shell(
          "ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=" + shell_quote(COWVET_SIGNAL_SHIM) +
          " COWVET_TEST_CALL=" + std::to_string(call) + " COWVET_TEST_SIGNAL=" + std::to_string(signal) +
          " " + shell_quote(COWVET_REPAIR_PROGRAM) + " -q --yes --output new a.qcow2");
      EXPECT_TRUE(!exists("new") || content("new") == right) << call;
      EXPECT_TRUE(result.status != 0 || exists("new")) << call;
      if (signal == SIGTERM) {
        EXPECT_EQ(names(), result.status == 0 ? "a.qcow2 new" : "a.qcow2") << call;
      }
      prepare("rm -f new*");
      if (result.status == 0) break;
    }
  EXPECT_TRUE(content("a.qcow2") == old);
}

TEST_F(RepairedCopy, that_a_kill_left_behind_is_named) {
  make_wiped_refcounts("a.qcow2");
  prepare(": >new.cowvet-partial");
  const CommandResult result = repair("--yes --output new a.qcow2");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("new.cowvet-partial is there"));
  EXPECT_EQ(names(), "a.qcow2 new.cowvet-partial");
}

TEST_F(RepairedCopy, leaves_the_data_file_alone_or_is_refused) {
  prepare(
      "qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on a.qcow2 1M && "
      "qemu-io -c 'write -P 7 0 1M' a.qcow2 && truncate -s 1000k data");
  const CommandResult refused = repair("--yes --output new a.qcow2");
  EXPECT_EQ(refused.status, 64);
  EXPECT_THAT(refused.err, HasSubstr("data file, which --output leaves alone"));
  EXPECT_EQ(names(), "a.qcow2 data");
  prepare("truncate -s 1M data");
  wipe_refcounts("a.qcow2");
  const std::string data = content("data");
  const CommandResult done = repair("--yes --output new a.qcow2");
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_TRUE(content("data") == data);
  EXPECT_EQ(cowvet("check -q new").status, 0);
}

}  // namespace
}  // namespace cowvet
