// Undo files: the way back from a repair, from that undo, and from the repairs before.
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class UndoOnDisk : public RepairCliTest {
 protected:
  // Three repairs one after the other: versions_[i] is the image before the i-th, the last one what it is.
  void repair_three_times() {
    make_image("a.qcow2");
    for (int i = 0; i < 3; ++i) {
      poke("a.qcow2", 0x20000 + 2 * 6, static_cast<std::uint16_t>(i == 0 ? 0 : i + 1));
      versions_.push_back(content("a.qcow2"));
      ASSERT_EQ(repair("-q --yes a.qcow2").status, 0);
    }
    versions_.push_back(content("a.qcow2"));
  }
  bool is_version(std::size_t number) const { return content("a.qcow2") == versions_.at(number); }

  std::vector<std::string> versions_;
};

TEST_F(UndoOnDisk, of_an_undo_is_the_repair_again) {
  make_wiped_refcounts("a.qcow2");
  const std::string old = content("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  const std::string repaired = content("a.qcow2");
  for (int i = 0; i < 2; ++i) {
    const CommandResult back = repair("--undo a.qcow2");
    EXPECT_EQ(back.status, 2) << back.err;
    EXPECT_THAT(back.out, HasSubstr("has the bytes again that it had before the repair"));
    EXPECT_TRUE(content("a.qcow2") == old);
    EXPECT_EQ(repair("--undo a.qcow2").status, 0);
    EXPECT_TRUE(content("a.qcow2") == repaired);
    EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-undo");
  }
}

TEST_F(UndoOnDisk, files_of_earlier_repairs_are_kept_and_lead_back_step_by_step) {
  repair_three_times();
  EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-undo a.qcow2.cowvet-undo.1 a.qcow2.cowvet-undo.2");
  EXPECT_EQ(repair("-q --undo a.qcow2").status, 2);
  EXPECT_TRUE(is_version(2));
  // What was broken by hand between the repairs is no repair's to undo.
  EXPECT_EQ(repair("-q --undo --undo-file a.qcow2.cowvet-undo.1 a.qcow2").status, 64);
  EXPECT_TRUE(is_version(2));
  poke("a.qcow2", 0x20000 + 2 * 6, std::uint16_t{1});
  EXPECT_EQ(repair("-q --undo --undo-file a.qcow2.cowvet-undo.1 a.qcow2").status, 2);
  EXPECT_TRUE(is_version(1));
  EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-undo a.qcow2.cowvet-undo.1 a.qcow2.cowvet-undo.2");
}

TEST_F(UndoOnDisk, is_refused_without_an_undo_file) {
  make_wiped_refcounts("a.qcow2");
  const std::string old = content("a.qcow2");
  const CommandResult result = repair("--undo a.qcow2");
  EXPECT_EQ(result.status, 64);
  EXPECT_THAT(result.err, HasSubstr("nothing can be undone"));
  EXPECT_TRUE(content("a.qcow2") == old);
}

TEST_F(UndoOnDisk, is_refused_when_the_image_was_written_to_where_it_was_repaired) {
  make_wiped_refcounts("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  prepare("qemu-io -c 'write -P 9 4M 1M' a.qcow2");
  const std::string before = content("a.qcow2");
  const CommandResult result = repair("--undo a.qcow2");
  EXPECT_EQ(result.status, 64);
  EXPECT_THAT(result.err, testing::Not(IsEmpty()));
  EXPECT_TRUE(content("a.qcow2") == before);
}

TEST_F(UndoOnDisk, is_refused_with_a_damaged_or_foreign_undo_file) {
  make_wiped_refcounts("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  const std::string before = content("a.qcow2");
  const std::string undo = content("a.qcow2.cowvet-undo");
  std::string flipped = undo;
  flipped[undo.size() / 3] ^= 1;
  for (const std::string& damaged : {flipped, undo.substr(0, undo.size() - 1), undo + '\0', std::string()}) {
    write("a.qcow2.cowvet-undo", damaged);
    EXPECT_EQ(repair("--undo a.qcow2").status, 64);
    EXPECT_TRUE(content("a.qcow2") == before);
  }
  write("a.qcow2.cowvet-undo", undo);
  prepare("cp a.qcow2 b.qcow2; cp a.qcow2.cowvet-undo b.qcow2.cowvet-undo");
  EXPECT_EQ(repair("--undo b.qcow2").status, 64);
  prepare("mkdir other; cp a.qcow2.cowvet-undo other/undo");
  const CommandResult elsewhere = repair("--undo --undo-file other/undo a.qcow2");
  EXPECT_EQ(elsewhere.status, 64);
  EXPECT_THAT(elsewhere.err, HasSubstr("must lie in the directory of the journal"));
}

TEST_F(UndoOnDisk, with_a_journal_elsewhere_finds_it_there) {
  make_wiped_refcounts("a.qcow2");
  const std::string old = content("a.qcow2");
  prepare("mkdir elsewhere");
  EXPECT_EQ(repair("-q --yes --journal elsewhere/j a.qcow2").status, 0);
  EXPECT_EQ(names(), "a.qcow2 elsewhere");
  EXPECT_EQ(shell("ls elsewhere").out, "j.undo\n");
  EXPECT_EQ(repair("-q --undo a.qcow2").status, 64);
  EXPECT_EQ(repair("-q --undo --journal elsewhere/j a.qcow2").status, 2);
  EXPECT_TRUE(content("a.qcow2") == old);
}

}  // namespace
}  // namespace cowvet
