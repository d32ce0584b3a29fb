// The machine goes down at every operation of every repair, and again at every operation of the recovery.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/repair/torture.h"

namespace cowvet {
namespace {

void torture(const std::string& name, Torture torture) {
  torture.crash_everywhere();
  fmt::print("{}: {} crash states, {} ended old, {} new; {} asked for a decision\n", name, torture.states(),
             torture.old_ends(), torture.new_ends(), torture.asked());
  EXPECT_GT(torture.old_ends(), 0u);
  EXPECT_GT(torture.new_ends(), 0u);
}

class Crash : public testing::TestWithParam<HandMadeRepair> {};

INSTANTIATE_TEST_SUITE_P(Repairs, Crash, testing::ValuesIn(hand_made_repairs()), [](const auto& repair) {
  std::string name = repair.param.name;
  std::ranges::replace(name, ' ', '_');
  return name;
});

TEST_P(Crash, leaves_old_or_new_whenever_the_machine_goes_down_in_a_repair) {
  const HandMadeRepair& repair = GetParam();
  torture(repair.name,
          Torture(repair.machine, [&](Machine& machine) { return run_repair(machine, repair.plan); }));
}

TEST_P(Crash, leaves_old_or_new_whenever_the_machine_goes_down_in_an_undo) {
  const HandMadeRepair& repair = GetParam();
  Machine repaired = repair.machine;
  ASSERT_EQ(run_repair(repaired, repair.plan).state, RepairResult::State::done);
  Machine start = repaired.after_exit();
  for (const auto inode : {Machine::kImage, Machine::kDataFile})
    if (inode == Machine::kImage || start.has_data_file()) start.put_file(inode, repaired.content(inode));
  torture("undo of " + repair.name, Torture(start, run_undo));
}

TEST(CrashOfOne, leaves_old_or_new_whenever_the_machine_goes_down_in_a_repair_that_keeps_no_undo_file) {
  const HandMadeRepair repair = hand_made_repair("header and body");
  const TransactionOptions options{.keep_undo = false};
  torture(repair.name, Torture(repair.machine,
                               [&](Machine& machine) { return run_repair(machine, repair.plan, options); }));
}

// A repair that fails its second check goes back; that may be interrupted like everything else.
TEST(CrashOfOne, leaves_the_old_image_whenever_the_machine_goes_down_in_a_roll_back) {
  const HandMadeRepair repair = hand_made_repair("data file");
  const TransactionOptions options{.check = [](const Device&, const Device*, const std::string&) {
    return std::expected<void, std::string>(std::unexpected("still corrupt"));
  }};
  const Contents old = contents_of(repair.machine);
  Machine whole = repair.machine;
  ASSERT_EQ(run_repair(whole, repair.plan, options).state, RepairResult::State::rolled_back);
  std::mt19937_64 random(7);
  std::uint64_t states = 0;
  for (std::uint64_t at = 1; at <= whole.operations(); ++at)
    for (const Fate fate : {Fate::torn_512, Fate::torn_4096, Fate::garbled_512, Fate::garbled_4096})
      for (int round = 0; round < 16; ++round) {
        Machine machine = repair.machine;
        machine.go_down_at(at);
        EXPECT_THROW(run_repair(machine, repair.plan, options), MachineDown);
        std::vector<bool> kept(machine.pending());
        for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = random() % 2;
        Machine crashed = machine.after_crash(kept, fate, true, random);
        run_recovery(crashed, Direction::as_recorded, options);
        ASSERT_TRUE(contents_of(crashed) == old) << "operation " << at;
        ASSERT_FALSE(crashed.has(JournalName::journal));
        ++states;
      }
  fmt::print("roll back: {} crash states\n", states);
}

}  // namespace
}  // namespace cowvet
