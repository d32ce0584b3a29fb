// Leaks that a repair kept because they may be lost data: recorded beside the image, and left alone by every
// later repair until the user says otherwise.
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kFormer =
    "a former repair kept clusters that may hold guest data that lost its reference";

class KeptOnDisk : public RepairCliTest {
 protected:
  // Where the second guest cluster once was: nothing names it any more.
  static constexpr std::uint64_t kLost = std::uint64_t{6} * 65536;

  bool is_lost_cluster_in_use() const { return (peek("a.qcow2", 0x20000 + kLost / 65536 * 2) >> 48) == 1; }
};

TEST_F(KeptOnDisk, stay_in_the_second_repair_and_are_freed_by_choice) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 3);
  EXPECT_TRUE(is_lost_cluster_in_use());
  EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-kept a.qcow2.cowvet-undo");
  const std::string repaired = content("a.qcow2");
  const CommandResult second = repair("--yes a.qcow2");
  EXPECT_EQ(second.status, 64) << second.out << second.err;
  EXPECT_THAT(shell("echo '" + second.out + "' | tr -s ' \\n' ' '").out, HasSubstr(kFormer));
  EXPECT_EQ(repair("-q --yes --leaks-only a.qcow2").status, 64);
  EXPECT_TRUE(content("a.qcow2") == repaired);
  EXPECT_EQ(repair("-q --yes --choose refcount/leak=free a.qcow2").status, 0);
  EXPECT_FALSE(is_lost_cluster_in_use());
}

TEST_F(KeptOnDisk, are_named_by_the_check_and_by_its_plan) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 3);
  const CommandResult check = cowvet("check --plan plan a.qcow2");
  EXPECT_EQ(check.status, 3) << check.err;
  EXPECT_THAT(check.out, HasSubstr("a former repair kept 1 of them"));
  EXPECT_THAT(content("plan"), HasSubstr(kFormer));
  EXPECT_THAT(cowvet("check --output json a.qcow2").out, HasSubstr("\"kept-leaks\": 1,"));
}

TEST_F(KeptOnDisk, are_recorded_where_there_is_no_undo_file) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes --no-undo a.qcow2").status, 3);
  EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-kept");
  EXPECT_EQ(repair("-q --yes --no-undo a.qcow2").status, 64);
}

TEST_F(KeptOnDisk, are_recorded_by_a_plan_from_a_file) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(cowvet("check -q --plan plan a.qcow2").status, 2);
  EXPECT_EQ(repair("-q --yes --plan plan a.qcow2").status, 3);
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 64);
  EXPECT_TRUE(is_lost_cluster_in_use());
}

TEST_F(KeptOnDisk, are_recorded_beside_the_copy) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes --output b.qcow2 a.qcow2").status, 3);
  EXPECT_EQ(names(), "a.qcow2 b.qcow2 b.qcow2.cowvet-kept");
  EXPECT_EQ(repair("-q --yes b.qcow2").status, 64);
}

TEST_F(KeptOnDisk, are_found_behind_a_symbolic_link) {
  make_corrupt("a.qcow2");
  prepare("mkdir d && ln -s ../a.qcow2 d/link");
  EXPECT_EQ(repair("-q --yes d/link").status, 3);
  EXPECT_EQ(names(), "a.qcow2 a.qcow2.cowvet-kept a.qcow2.cowvet-undo d");
  EXPECT_THAT(cowvet("check d/link").out, HasSubstr("a former repair kept 1 of them"));
}

TEST_F(KeptOnDisk, are_known_by_their_content_alone) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 3);
  poke("a.qcow2", kLost, std::uint64_t{1});
  EXPECT_THAT(cowvet("check a.qcow2").out, Not(HasSubstr("former repair")));
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  EXPECT_FALSE(is_lost_cluster_in_use());
}

TEST_F(KeptOnDisk, are_not_freed_when_their_record_cannot_be_used) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 3);
  const std::string repaired = content("a.qcow2");
  for (const char* record : {"something else\n", "cowvet-kept 1\n393216 65536\n", "cowvet-kept 1\n1 2 3"}) {
    write("a.qcow2.cowvet-kept", record);
    const CommandResult result = repair("--yes a.qcow2");
    EXPECT_EQ(result.status, 64);
    EXPECT_THAT(result.err, HasSubstr("a.qcow2.cowvet-kept should say which clusters a former repair kept"));
    EXPECT_EQ(cowvet("check -q a.qcow2").status, 1);
  }
  EXPECT_TRUE(content("a.qcow2") == repaired);
}

TEST_F(KeptOnDisk, need_their_record_as_long_as_they_or_an_undo_file_are_there) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 3);
  EXPECT_EQ(repair("-q --yes --choose refcount/leak=free a.qcow2").status, 0);
  EXPECT_TRUE(exists("a.qcow2.cowvet-kept"));
  EXPECT_EQ(repair("-q --undo a.qcow2").status, 3);
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 64);  // kept once more
  EXPECT_TRUE(is_lost_cluster_in_use());
  prepare("rm a.qcow2.cowvet-undo*");
  EXPECT_EQ(repair("-q --yes --no-undo a.qcow2").status, 64);
  EXPECT_TRUE(exists("a.qcow2.cowvet-kept"));
  EXPECT_EQ(repair("-q --yes --no-undo --choose refcount/leak=free a.qcow2").status, 0);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(KeptOnDisk, are_forgotten_by_no_check) {
  make_corrupt("a.qcow2");
  EXPECT_EQ(repair("-q --yes --no-undo a.qcow2").status, 3);
  prepare("qemu-img check -q -r leaks a.qcow2");
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 0);
  EXPECT_TRUE(exists("a.qcow2.cowvet-kept"));
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(KeptOnDisk, are_recorded_or_nothing_is_repaired) {
  make_corrupt("a.qcow2");
  const std::string before = content("a.qcow2");
  prepare("mkdir a.qcow2.cowvet-kept.new");  // in the way of the record
  const CommandResult result = repair("--yes a.qcow2");
  EXPECT_EQ(result.status, 64);
  EXPECT_THAT(result.err, HasSubstr("which ones cannot be recorded"));
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(repair("-q --yes --journal j a.qcow2").status, 3);
  EXPECT_TRUE(exists("j.kept"));
  EXPECT_EQ(repair("-q --yes --journal j a.qcow2").status, 64);
  EXPECT_THAT(cowvet("check --journal j a.qcow2").out, HasSubstr("a former repair kept 1 of them"));
  EXPECT_EQ(cowvet("check --journal j a.qcow2 a.qcow2").status, 1);
}

}  // namespace
}  // namespace cowvet
