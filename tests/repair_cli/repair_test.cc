// What a plain run does: nothing to sound images, the plan to damaged ones, and what its status says.
#include <nlohmann/json.hpp>

#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

using Repair = RepairCliTest;

TEST_F(Repair, never_changes_a_sound_image_in_any_mode) {
  make_image("a.qcow2");
  const std::string before = content("a.qcow2");
  for (const char* options : {"--yes", "--dry-run", "--yes --deep", "--yes --json", "--yes -q",
                              "--yes --no-undo", "--yes --leaks-only", "--yes --allow lossy --allow metadata",
                              "", "--yes --output new", "--yes --journal j"}) {
    const CommandResult result = repair(std::string(options) + " a.qcow2");
    EXPECT_EQ(result.status, 0) << options << result.err;
    EXPECT_THAT(result.err, IsEmpty()) << options;
    EXPECT_TRUE(content("a.qcow2") == before) << options;
    EXPECT_EQ(names(), "a.qcow2") << options;
  }
}

TEST_F(Repair, of_a_damaged_image_leaves_a_sound_one_and_an_undo_file) {
  make_wiped_refcounts("a.qcow2");
  const CommandResult result = repair("--yes a.qcow2");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("a.qcow2 is damaged"));
  EXPECT_THAT(result.out, HasSubstr("1. refcount/too-low (safe)"));
  EXPECT_THAT(result.out, HasSubstr("The guest and every snapshot read what they read before."));
  EXPECT_THAT(result.out, HasSubstr("a.qcow2 was repaired.\na.qcow2 is sound: No errors were found"));
  EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-undo");
  EXPECT_EQ(cowvet("check a.qcow2").status, 0);
  EXPECT_EQ(shell("qemu-img check -q a.qcow2").status, 0);
  EXPECT_EQ(shell("qemu-io -c 'read -P 7 0 1M' -c 'write -P 9 0 1M' a.qcow2").status, 0);
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 0);
}

TEST_F(Repair, without_undo_leaves_nothing_but_the_image) {
  make_wiped_refcounts("a.qcow2");
  EXPECT_EQ(repair("--yes --no-undo a.qcow2").status, 0);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(Repair, as_a_dry_run_shows_the_plan_and_changes_nothing) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  prepare("chmod a-w a.qcow2");
  const CommandResult result = repair("--dry-run a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, HasSubstr("refcount/too-low"));
  EXPECT_THAT(result.out, HasSubstr("Nothing was changed."));
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(Repair, without_a_terminal_and_without_yes_is_refused) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  const CommandResult result = repair("a.qcow2");
  EXPECT_EQ(result.status, 64);
  EXPECT_THAT(result.err, HasSubstr("--yes"));
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(Repair, that_would_cost_guest_data_says_what_and_needs_consent) {
  make_lossy("a.qcow2");
  const std::string before = content("a.qcow2");
  const CommandResult refused = repair("--yes a.qcow2");
  EXPECT_EQ(refused.status, 64) << refused.out;
  EXPECT_THAT(refused.out, HasSubstr("l2/outside: needs --allow lossy"));
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");

  const CommandResult done = repair("--yes --allow lossy a.qcow2");
  EXPECT_EQ(done.status, 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("l2/outside (lossy)"));
  EXPECT_THAT(done.out, HasSubstr("guest 0x10000-0x1ffff"));
  EXPECT_THAT(done.out, HasSubstr(" -> zeros"));
}

TEST_F(Repair, of_one_rule_leaves_the_others_and_says_so_in_its_status) {
  make_wiped_refcounts("a.qcow2");
  poke("a.qcow2", l2_offset("a.qcow2"), peek("a.qcow2", l2_offset("a.qcow2")) & 0x7fffffffffffffff);
  const CommandResult result = repair("--yes --only l2/copied a.qcow2");
  EXPECT_THAT(result.out, HasSubstr("What will still be found"));
  EXPECT_EQ(result.status, cowvet("check -q a.qcow2").status);
}

TEST_F(Repair, of_leaks_only_frees_them) {
  make_leak("a.qcow2");
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 3);
  EXPECT_EQ(repair("--yes --leaks-only a.qcow2").status, 0);
  EXPECT_EQ(shell("qemu-img check -q a.qcow2").status, 0);
}

TEST_F(Repair, of_what_is_no_usable_image_ends_as_check_does) {
  prepare("qemu-img create -q -f raw raw 1M; : >empty; mkdir directory; mkfifo fifo");
  make_image("a.qcow2");
  prepare("head -c 80 a.qcow2 >cut");
  for (const char* name : {"raw", "empty", "cut", "directory", "fifo", "missing"}) {
    const std::string before = exists(name) ? shell("ls -ld " + std::string(name)).out : "";
    EXPECT_EQ(repair("--yes " + std::string(name)).status, cowvet("check " + std::string(name)).status)
        << name;
    EXPECT_EQ(exists(name) ? shell("ls -ld " + std::string(name)).out : "", before);
  }
  EXPECT_EQ(repair("--yes -f qcow2 raw").status, 1);
}

TEST_F(Repair, tells_programs_what_was_found_done_and_left) {
  make_wiped_refcounts("a.qcow2");
  const CommandResult result = repair("--yes --json a.qcow2");
  EXPECT_EQ(result.status, 0);
  const json told = json::parse(result.out);
  EXPECT_EQ(told["ending"], "repaired");
  EXPECT_EQ(told["status"], 0);
  EXPECT_EQ(told["found"]["verdict"], "metadata-damaged");
  EXPECT_EQ(told["left"]["verdict"], "sound");
  EXPECT_EQ(told["corruptions"], 0);
  EXPECT_EQ(told["corruptions-fixed"], told["found"]["corruptions"]);
  EXPECT_EQ(told["plan"]["steps"][0]["rule"], "refcount/too-low");
  EXPECT_THAT(std::string(told["undo-file"]), testing::EndsWith("/a.qcow2.cowvet-undo"));

  const json refused = json::parse(repair("--yes --json --undo-file x --undo a.qcow2").out);
  EXPECT_EQ(refused["ending"], "refused");
  EXPECT_EQ(refused["status"], 64);
  EXPECT_THAT(std::string(refused["message"]), Not(IsEmpty()));
}

TEST_F(Repair, of_a_data_file_image_repairs_both_files) {
  prepare(
      "qemu-img create -q -f qcow2 -o data_file=data,data_file_raw=on a.qcow2 1M && "
      "qemu-io -c 'write -P 7 0 1M' a.qcow2 && truncate -s 1000k data");
  const CommandResult result = repair("--yes a.qcow2");
  EXPECT_EQ(result.status, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("data-file/short"));
  EXPECT_EQ(content("data").size(), 1u << 20);
  EXPECT_EQ(repair("--undo a.qcow2").status, 2);
  EXPECT_EQ(content("data").size(), 1000u << 10);
}

TEST_F(Repair, of_the_name_of_the_data_file_looks_for_the_file_under_the_right_name) {
  // A name with a NUL inside: cut there, it is a plain one.
  for (const bool is_there : {true, false}) {
    prepare(
        "rm -f a.qcow2 data a.qcow2.cowvet-undo; qemu-img create -q -f qcow2 -o data_file=dataXraw a.qcow2 "
        "1M");
    prepare("mv dataXraw data");
    std::string image = content("a.qcow2");
    image[image.find("dataXraw") + 4] = '\0';
    write("a.qcow2", image);
    if (!is_there) prepare("rm data");
    EXPECT_EQ(cowvet("check -q a.qcow2").status, 2);
    const CommandResult result = repair("--yes a.qcow2");
    EXPECT_EQ(result.status, is_there ? 0 : 64) << result.out << result.err;
    EXPECT_EQ(cowvet("check -q a.qcow2").status, is_there ? 0 : 2);
    if (!is_there) {
      EXPECT_THAT(result.err, HasSubstr("\"data\" cannot be opened"));
    }
  }
}

}  // namespace
}  // namespace cowvet
