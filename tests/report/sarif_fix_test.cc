#include "checker/report/sarif_fix.h"

#include <gmock/gmock.h>

#include "tests/report/sample_report.h"

namespace cowvet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Plan plan_that_writes(std::uint64_t bytes) {
  Plan plan;
  plan.image.size_bytes = plan.image_bytes_after = 1 << 30;
  plan.steps.push_back(
      {.rule = rule("refcount/leak"), .writes = {{.offset = 0, .new_bytes = Content::zeros(bytes)}}});
  return plan;
}

TEST(SarifFix, is_there_without_a_remark_up_to_its_limit) {
  const SarifFix fix = sarif_fix(sound_report(), plan_that_writes(kLargestFixBytes));
  EXPECT_THAT(fix.json, HasSubstr("insertedContent"));
  EXPECT_THAT(fix.remarks, IsEmpty());
}

TEST(SarifFix, says_that_it_is_too_large) {
  const SarifFix fix = sarif_fix(sound_report(), plan_that_writes(kLargestFixBytes + 1));
  EXPECT_EQ(fix.json, "");
  EXPECT_THAT(fix.remarks,
              ElementsAre(HasSubstr("disk.qcow2 has no fix here, because it writes more than 16 MiB")));
}

TEST(SarifFix, is_none_of_a_plan_that_must_not_be_applied) {
  Plan plan = plan_that_writes(8);
  plan.unfit = "it frightens\x1b me";
  const SarifFix fix = sarif_fix(sound_report(), plan);
  EXPECT_EQ(fix.json, "");
  EXPECT_THAT(fix.remarks, ElementsAre("disk.qcow2 has no fix: it frightens\\x1b me"));
}

TEST(SarifFix, is_silent_where_nothing_is_to_be_done) {
  const SarifFix fix = sarif_fix(sound_report(), {});
  EXPECT_EQ(fix.json, "");
  EXPECT_THAT(fix.remarks, IsEmpty());
}

}  // namespace
}  // namespace cowvet
