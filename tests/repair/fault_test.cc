// Every operation of a repair fails, once and for good: never a silent success, and always old or new.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "tests/repair/failing.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

class Fault : public testing::TestWithParam<HandMadeRepair> {};

INSTANTIATE_TEST_SUITE_P(Repairs, Fault, testing::ValuesIn(hand_made_repairs()), [](const auto& repair) {
  std::string name = repair.param.name;
  std::ranges::replace(name, ' ', '_');
  return name;
});

TEST_P(Fault, is_never_silent_when_an_operation_fails_once) {
  Failing failing(GetParam().machine, GetParam().plan);
  for (const int code : {EIO, ENOSPC, EDQUOT}) failing.fail_every_operation(code, false);
}

TEST_P(Fault, is_never_silent_when_all_operations_fail_from_then_on) {
  Failing failing(GetParam().machine, GetParam().plan);
  for (const int code : {EIO, ENOSPC, EDQUOT}) failing.fail_every_operation(code, true);
}

TEST_P(Fault, is_never_silent_when_reads_fail) {
  Failing failing(GetParam().machine, GetParam().plan);
  for (const bool for_good : {false, true}) failing.fail_every_read(EIO, for_good);
}

TEST_P(Fault, is_never_silent_when_an_operation_of_the_recovery_fails) {
  Failing failing(GetParam().machine, GetParam().plan);
  for (std::uint64_t down_at = 1; down_at <= failing.operations(); ++down_at)
    for (const bool for_good : {false, true})
      failing.fail_every_operation_of_recovery(down_at, down_at % 2 == 0 ? EIO : ENOSPC, for_good);
}

TEST_P(Fault, is_never_silent_when_a_read_of_the_recovery_fails) {
  Failing failing(GetParam().machine, GetParam().plan);
  for (std::uint64_t down_at = 1; down_at <= failing.operations(); ++down_at)
    for (const bool for_good : {false, true}) failing.fail_every_read_of_recovery(down_at, EIO, for_good);
}

TEST_P(Fault, leaves_old_or_new_when_interrupted_at_any_time) {
  const HandMadeRepair& repair = GetParam();
  const Contents old = contents_of(repair.machine);
  for (int asked = 1;; ++asked) {
    Machine machine = repair.machine;
    int count = 0;
    const TransactionOptions options{.stop = [&] { return ++count >= asked; }};
    const RepairResult result = run_repair(machine, repair.plan, options);
    EXPECT_FALSE(machine.has(JournalName::journal));
    if (result.state == State::done) break;
    EXPECT_TRUE(contents_of(machine) == old);
    EXPECT_EQ(result.message, "interrupted");
    ASSERT_LT(asked, 100);
  }
}

TEST(Refusal, leaves_the_image_as_it_was_when_it_has_changed_since_the_plan) {
  HandMadeRepair repair = hand_made_repair("growing image");
  repair.machine.overwrite(Machine::kImage, repair.plan.steps[2].writes[0].offset, Bytes(1, std::byte{0xee}));
  const Contents before = contents_of(repair.machine);
  const RepairResult result = run_repair(repair.machine, repair.plan);
  EXPECT_EQ(result.state, State::unchanged);
  EXPECT_NE(result.message.find("has changed at 0x4008"), std::string::npos) << result.message;
  EXPECT_TRUE(contents_of(repair.machine) == before);
  EXPECT_EQ(repair.machine.operations(), 0u);
}

TEST(Refusal, does_not_apply_a_plan_of_another_image_or_an_unfit_one) {
  HandMadeRepair repair = hand_made_repair("growing image");
  Plan other = repair.plan;
  other.image.identity = FileIdentity{1, 77};
  EXPECT_EQ(run_repair(repair.machine, other).state, State::unchanged);
  other = repair.plan;
  other.image.size_bytes += 512;
  EXPECT_EQ(run_repair(repair.machine, other).state, State::unchanged);
  other = repair.plan;
  other.unfit = "the rehearsal found more";
  EXPECT_EQ(run_repair(repair.machine, other).state, State::unchanged);
  other = repair.plan;
  other.steps[0].writes[0].offset = ~std::uint64_t{0} - 16;
  EXPECT_EQ(run_repair(repair.machine, other).state, State::unchanged);
  other = repair.plan;
  other.image_bytes_after = other.image.size_bytes - 1;
  EXPECT_EQ(run_repair(repair.machine, other).message, "image: the plan would cut it");
  other = repair.plan;
  other.data_file = Binding{.path = "disk.raw"};
  EXPECT_EQ(run_repair(repair.machine, other).message, "the plan changes a data file, which was not opened");
  EXPECT_EQ(repair.machine.operations(), 0u);
}

TEST(Refusal, does_not_begin_while_an_earlier_repair_is_unfinished) {
  HandMadeRepair repair = hand_made_repair("growing image");
  repair.machine.overwrite(JournalName::journal, Bytes(10));
  EXPECT_EQ(run_repair(repair.machine, repair.plan).state, State::unchanged);
  EXPECT_EQ(repair.machine.bytes(JournalName::journal), Bytes(10));
}

TEST(Check, sees_the_image_without_the_mark_and_the_note) {
  HandMadeRepair repair = hand_made_repair("growing image");
  bool was_asked = false;
  const TransactionOptions options{.check = [&](const Device& image, const Device*, const std::string& note) {
    was_asked = true;
    Bytes header(kHeaderV3Bytes);
    EXPECT_TRUE(image.read(0, header));
    EXPECT_FALSE(decode_header(header)->is_corrupt());
    EXPECT_EQ(note, "note");
    return std::expected<void, std::string>{};
  }};
  EXPECT_EQ(run_repair(repair.machine, repair.plan, options).state, State::done);
  EXPECT_TRUE(was_asked);
}

}  // namespace
}  // namespace cowvet
