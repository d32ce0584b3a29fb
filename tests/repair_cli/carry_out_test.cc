// The check in the middle of a repair, and what it is told to find.
#include "repair/cli/carry_out.h"

#include "checker/cli/progress_display.h"
#include "repair/cli/expectation.h"
#include "repair/cli/unfinished.h"
#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

using CarryOut = RepairCliTest;

TEST_F(CarryOut, takes_a_repair_back_that_does_not_leave_what_its_plan_says) {
  reserve_progress_signal();
  make_wiped_refcounts("a.qcow2");
  const std::string old = content("a.qcow2");
  RepairOptions options;
  options.image_path = directory_.file("a.qcow2");
  const auto files = FilesForRepair::open(options.image_path, {}).value();
  DirectoryStorage storage = make_storage(options, options.image_path);
  const Plan plan = make_plan(files->inputs(), {}).value();
  Plan wrong = plan;
  wrong.remaining.push_back({rule("refcount/leak"), 1, 1});
  const Outcome outcome = carry_out({options, *files, storage}, wrong);
  EXPECT_EQ(outcome.ending, Ending::taken_back);
  EXPECT_THAT(outcome.message, HasSubstr("refcount/leak was to be found 1 times, and is found 0 times"));
  EXPECT_TRUE(content("a.qcow2") == old);
  EXPECT_EQ(names(), "a.qcow2");

  const Outcome right = carry_out({options, *files, storage}, plan);
  EXPECT_EQ(right.ending, Ending::repaired) << right.message;
  EXPECT_EQ(exit_status_of(right, {}), 0);
}

TEST(Expectation, is_the_same_after_its_way_through_the_journal) {
  const Expectation expectation{true,
                                {{.rule = rule("refcount/leak"), .findings = 3, .total = 70},
                                 {.rule = rule("l2/outside"), .findings = 1, .total = ~std::uint64_t{0}}}};
  const auto decoded = decode_expectation(encode_expectation(expectation));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->deep);
  ASSERT_EQ(decoded->remaining.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(decoded->remaining[i].rule, expectation.remaining[i].rule);
    EXPECT_EQ(decoded->remaining[i].findings, expectation.remaining[i].findings);
    EXPECT_EQ(decoded->remaining[i].total, expectation.remaining[i].total);
  }
  EXPECT_FALSE(decode_expectation(encode_expectation({}))->deep);
}

TEST(Expectation, that_is_not_understood_is_none) {
  for (const char* note : {"", "something", "expected\nl2/copeid 1 1\n", "expected\nl2/copied 1\n",
                           "expected\nl2/copied x y\n", "expected deeper\n"})
    EXPECT_FALSE(decode_expectation(note)) << note;
}

}  // namespace
}  // namespace cowvet
