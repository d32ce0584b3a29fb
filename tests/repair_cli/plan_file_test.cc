// cowvet-repair --plan: carries out what cowvet check --plan wrote, if it still fits, and nothing else.
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

class PlanFile : public RepairCliTest {
 protected:
  void SetUp() override {
    make_wiped_refcounts("a.qcow2");
    EXPECT_EQ(cowvet("check -q --plan plan a.qcow2").status, 2);
    old_ = content("a.qcow2");
  }
  // A plan that was tampered with, or does not fit, is refused for `reason`.
  void expect_refused(const std::string& reason) const {
    const std::string before = content("a.qcow2");
    const std::string listed = names();
    const CommandResult result = repair("--yes --plan plan a.qcow2");
    EXPECT_EQ(result.status, 64) << reason << result.out;
    EXPECT_THAT(result.err, HasSubstr(reason));
    EXPECT_TRUE(content("a.qcow2") == before) << reason;
    EXPECT_EQ(names(), listed) << reason;
  }
  void edit_plan(const std::string& from, const std::string& to) const {
    std::string plan = content("plan");
    const std::size_t at = plan.find(from);
    ASSERT_NE(at, std::string::npos) << plan;
    write("plan", plan.replace(at, from.size(), to));
  }

  std::string old_;
};

TEST_F(PlanFile, is_carried_out_as_if_it_had_been_made_now) {
  EXPECT_EQ(repair("--yes --plan plan a.qcow2").status, 0);
  const std::string repaired = content("a.qcow2");
  EXPECT_EQ(cowvet("check -q a.qcow2").status, 0);
  EXPECT_EQ(repair("-q --undo a.qcow2").status, 2);
  EXPECT_TRUE(content("a.qcow2") == old_);
  EXPECT_EQ(repair("-q --yes a.qcow2").status, 0);
  EXPECT_TRUE(content("a.qcow2") == repaired);
}

TEST_F(PlanFile, is_shown_by_a_dry_run) {
  const CommandResult result = repair("--dry-run --plan plan a.qcow2");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.out, HasSubstr("refcount/too-low"));
  EXPECT_TRUE(content("a.qcow2") == old_);
}

TEST_F(PlanFile, of_another_file_is_refused) {
  prepare("cp a.qcow2 b.qcow2 && mv b.qcow2 a.qcow2");
  expect_refused("another file");
}

TEST_F(PlanFile, of_an_image_that_grew_is_refused) {
  prepare("truncate -s +64K a.qcow2");
  expect_refused("has changed since the plan was made");
}

TEST_F(PlanFile, of_an_image_whose_metadata_changed_is_refused_wherever_that_was) {
  for (const std::uint64_t offset : {std::uint64_t{104 + 16}, l2_offset("a.qcow2") + 8 * 700}) {
    write("a.qcow2", old_);
    poke("a.qcow2", offset, std::uint8_t{1});
    expect_refused("the metadata of a.qcow2 has changed");
  }
}

TEST_F(PlanFile, that_was_carried_out_is_refused_the_second_time) {
  EXPECT_EQ(repair("-q --yes --plan plan a.qcow2").status, 0);
  expect_refused("has changed");
}

TEST_F(PlanFile, that_does_not_leave_what_it_says_is_refused) {
  edit_plan("\"remaining\":[]", "\"remaining\":[{\"rule\":\"refcount/leak\",\"findings\":1,\"total\":1}]");
  expect_refused("the rehearsal does not end as the plan says: refcount/leak was to be found 1 times");
}

TEST_F(PlanFile, that_writes_something_else_is_refused) {
  edit_plan("0001*21", "0002*21");
  expect_refused("the rehearsal does not end as the plan says");
}

TEST_F(PlanFile, that_was_made_for_other_bytes_is_refused) {
  edit_plan("00*42", "01*42");
  expect_refused("has changed at 0x20000 since the plan was made");
}

TEST_F(PlanFile, that_changes_guest_data_without_saying_so_is_refused) {
  // One more step, which writes to the guest's first cluster.
  edit_plan("{\"end\":true,\"steps\":1",
            "{\"step\":2,\"rule\":\"l2/copied\",\"remedy\":\"safe\",\"outcome\":\"\",\"why\":\"\",\"phase\":"
            "\"pointers\",\"count\":1,\"impact\":[],\"writes\":[{\"target\":\"image\",\"offset\":327680,"
            "\"old\":\"07*16\",\"new\":\"08*16\"}]}\n{\"end\":true,\"steps\":2");
  ASSERT_EQ(content("a.qcow2").substr(327680, 16), std::string(16, '\x07'));
  expect_refused("guest");
}

TEST_F(PlanFile, that_is_unfit_is_never_carried_out) {
  edit_plan("\"unfit\":\"\"", "\"unfit\":\"because\"");
  expect_refused("the plan is unfit: because");
}

TEST_F(PlanFile, that_is_none_is_said_to_be_none) {
  const std::string plan = content("plan");
  for (const std::string& text : {std::string(), plan.substr(0, plan.size() / 2), plan.substr(1),
                                  std::string("{}\n"), std::string("\x00\xff", 2)}) {
    write("plan", text);
    const CommandResult result = repair("--yes --plan plan a.qcow2");
    EXPECT_EQ(result.status, 1) << text;
    EXPECT_THAT(result.err, HasSubstr("plan is no plan"));
  }
  EXPECT_EQ(repair("--yes --plan missing a.qcow2").status, 1);
  EXPECT_TRUE(content("a.qcow2") == old_);
}

TEST_F(PlanFile, that_was_made_by_a_deep_check_is_rehearsed_by_one) {
  // A compressed cluster that does not decode, which only a deep check finds and nothing safe settles.
  prepare("rm plan; qemu-img create -q -f qcow2 a.qcow2 1M; qemu-io -c 'write -c -P 7 0 64k' a.qcow2");
  poke("a.qcow2", peek("a.qcow2", l2_offset("a.qcow2")) & 0x3fffffffffffff,
       std::uint64_t{0xffffffffffffffff});
  poke("a.qcow2", 0x20000, std::uint16_t{3});
  EXPECT_EQ(cowvet("check -q --deep --plan plan a.qcow2").status, 2);
  EXPECT_THAT(content("plan"), HasSubstr("l2/compressed-undecodable"));
  const CommandResult result = repair("--yes --plan plan a.qcow2");
  EXPECT_THAT(result.out, HasSubstr("l2/compressed-undecodable (corruption), once"));
  EXPECT_EQ(result.status, 2) << result.err;
}

}  // namespace
}  // namespace cowvet
