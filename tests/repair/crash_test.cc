// The machine goes down at every operation of every repair, and again at every operation of the recovery.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "repair/corrupt_mark.h"
#include "tests/repair/repairs.h"

namespace cowvet {
namespace {

constexpr Fate kFates[] = {Fate::torn_512, Fate::torn_4096, Fate::garbled_512, Fate::garbled_4096};
constexpr std::size_t kMostForAllSubsets = 10;
constexpr std::uint64_t kRandomSubsets = 64;  // where there are more pending operations
constexpr std::uint64_t kTornSubsets = 64;
constexpr std::uint64_t kSecondCrashes = 5;  // of so many first crashes, one is followed by second ones

// One repair under torture: old and new contents, and how to begin.
class Torture {
 public:
  using Run = std::function<RepairResult(Machine&)>;

  Torture(Machine start, Run run) : start_(std::move(start)), run_(std::move(run)) {
    Machine finished = start_;
    EXPECT_EQ(run_(finished).state, RepairResult::State::done);
    EXPECT_EQ(finished.violations(), std::vector<std::string>{});
    old_ = contents_of(start_);
    new_ = contents_of(finished);
    operations_ = finished.operations();
    is_markable_ = can_be_marked(old_.image);
    was_marked_ = is_marked(old_.image);
    EXPECT_FALSE(old_ == new_);
  }

  void crash_everywhere() {
    for (std::uint64_t at = 1; at <= operations_ && !testing::Test::HasFailure(); ++at) {
      Machine machine = start_;
      machine.go_down_at(at);
      EXPECT_THROW(run_(machine), MachineDown);
      where_ = fmt::format("operation {}", at);
      for_each_crash(machine, [&](Machine& crashed, bool garbled) {
        check_guarded(crashed);
        crash_again(crashed);
        recover_and_check(crashed, garbled);
      });
    }
    // What was announced as done stays, whatever was not flushed.
    Machine machine = start_;
    run_(machine);
    where_ = "the end";
    for_each_crash(machine, [&](Machine& crashed, bool garbled) {
      recover_and_check(crashed, garbled);
      EXPECT_TRUE(contents_of(crashed) == new_) << where_;
    });
  }

  std::uint64_t states() const { return states_; }
  std::uint64_t asked() const { return asked_; }
  int old_ends() const { return old_ends_; }
  int new_ends() const { return new_ends_; }

 private:
  using Visit = std::function<void(Machine&, bool garbled)>;

  // Every fate of what was pending: all subsets of up to ten operations, else random ones; the lost writes
  // gone altogether, torn or garbled.
  void for_each_crash(const Machine& machine, const Visit& visit) {
    const std::size_t pending = machine.pending();
    const bool all = pending <= kMostForAllSubsets;
    const std::uint64_t subsets = all ? std::uint64_t{1} << pending : kRandomSubsets;
    for (std::uint64_t subset = 0; subset < subsets; ++subset) {
      std::vector<bool> kept(pending);
      for (std::size_t i = 0; i < pending; ++i) kept[i] = all ? subset >> i & 1 : random_() % 2;
      visit_one(machine, kept, Fate::dropped, visit);
      // Not every subset is torn and garbled in every way, but every operation is.
      if (pending == 0 || subset % divide_up(subsets, kTornSubsets) != 0) continue;
      for (const Fate fate : kFates) visit_one(machine, kept, fate, visit);
    }
  }

  void visit_one(const Machine& machine, const std::vector<bool>& kept, Fate fate, const Visit& visit) {
    if (testing::Test::HasFailure()) return;
    ++states_;
    Machine crashed = machine.after_crash(kept, fate, states_ % 2 == 0, random_);
    visit(crashed, fate == Fate::garbled_512 || fate == Fate::garbled_4096);
  }

  // In between, QEMU must not write: the header carries the mark, or is none.
  void check_guarded(const Machine& crashed) {
    const Contents contents = contents_of(crashed);
    if (!is_markable_ || was_marked_ || contents == old_ || contents == new_) return;
    EXPECT_TRUE(is_marked(contents.image) || !can_be_marked(contents.image)) << where_;
  }

  void recover_and_check(Machine& machine, bool garbled) {
    std::optional<RepairResult> result = run_recovery(machine);
    const Contents contents = contents_of(machine);
    if (garbled && !is_markable_ && result && contents != old_ && contents != new_) {
      // Without a mark nobody can tell garbage from what a third party wrote: the user decides.
      EXPECT_EQ(result->state, RepairResult::State::unchanged) << where_;
      ++asked_;
      result = run_recovery(machine, Direction::back);
    }
    check_ended(machine, result);
  }

  void check_ended(const Machine& machine, const std::optional<RepairResult>& result) {
    const Contents contents = contents_of(machine);
    EXPECT_TRUE(contents == old_ || contents == new_)
        << where_ << ": " << (result ? result->message : "no journal");
    EXPECT_FALSE(machine.bytes(JournalName::journal)) << where_ << ": " << (result ? result->message : "");
    EXPECT_EQ(machine.violations(), std::vector<std::string>{}) << where_;
    const auto state = result ? result->state : RepairResult::State::unchanged;
    EXPECT_TRUE(state != RepairResult::State::done || contents == new_) << where_;
    EXPECT_TRUE(state != RepairResult::State::rolled_back || contents == old_) << where_;
    ++(contents == old_ ? old_ends_ : new_ends_);
  }

  // The machine goes down in the middle of the recovery, too.
  void crash_again(const Machine& crashed) {
    if (states_ % kSecondCrashes != 0) return;
    for (std::uint64_t at = 1;; ++at) {
      Machine machine = crashed.after_exit();
      machine.go_down_at(at);
      try {
        run_recovery(machine);
        return;  // it is through before
      } catch (const MachineDown&) {
      }
      for (const Fate fate : {Fate::dropped, Fate::torn_512, Fate::garbled_4096}) {
        std::vector<bool> kept(machine.pending());
        for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = random_() % 2;
        visit_one(machine, kept, fate, [&](Machine& again, bool) {
          check_guarded(again);
          recover_and_check(again, true);
        });
      }
    }
  }

  Machine start_;
  Run run_;
  Contents old_;
  Contents new_;
  std::uint64_t operations_ = 0;
  bool is_markable_ = false;
  bool was_marked_ = false;
  std::mt19937_64 random_{2026};
  std::string where_;
  std::uint64_t states_ = 0;
  std::uint64_t asked_ = 0;
  int old_ends_ = 0;
  int new_ends_ = 0;
};

void torture(const std::string& name, Torture torture) {
  torture.crash_everywhere();
  fmt::print("{}: {} crash states, {} ended old, {} new; {} asked for a decision\n", name, torture.states(),
             torture.old_ends(), torture.new_ends(), torture.asked());
  EXPECT_GT(torture.old_ends(), 0);
  EXPECT_GT(torture.new_ends(), 0);
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
    if (inode == Machine::kImage || start.has_data_file()) start.put_file(inode, repaired.bytes(inode));
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
    for (const Fate fate : kFates)
      for (int round = 0; round < 16; ++round) {
        Machine machine = repair.machine;
        machine.go_down_at(at);
        EXPECT_THROW(run_repair(machine, repair.plan, options), MachineDown);
        std::vector<bool> kept(machine.pending());
        for (std::size_t i = 0; i < kept.size(); ++i) kept[i] = random() % 2;
        Machine crashed = machine.after_crash(kept, fate, true, random);
        run_recovery(crashed, Direction::as_recorded, options);
        ASSERT_TRUE(contents_of(crashed) == old) << "operation " << at;
        ASSERT_FALSE(crashed.bytes(JournalName::journal));
        ++states;
      }
  fmt::print("roll back: {} crash states\n", states);
}

}  // namespace
}  // namespace cowvet
