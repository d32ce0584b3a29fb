#include "tests/repair/failing.h"

#include <gtest/gtest.h>

namespace cowvet {
namespace {

using State = RepairResult::State;

// What the medium holds when the power goes: nothing that was not flushed.
Machine without_power(const Machine& machine) {
  std::mt19937_64 random(1);
  return machine.after_crash(std::vector<bool>(machine.pending()), Fate::dropped, false, random);
}

}  // namespace

Failing::Failing(const Machine& start, const Plan& plan)
    : start_(start), plan_(plan), old_(contents_of(start)) {
  Machine whole = start;
  const RepairResult result = run_repair(whole, plan);
  EXPECT_EQ(result.state, State::done) << result.message;
  new_ = contents_of(whole);
  operations_ = whole.operations();
}

void Failing::fail_every_operation(int code, bool for_good) {
  for (std::uint64_t at = 1; at <= operations_; ++at) {
    SCOPED_TRACE(testing::Message() << "operation " << at << ", code " << code);
    Machine machine = start_;
    machine.fail_at(at, code, for_good);
    const RepairResult result = run_repair(machine, plan_);
    EXPECT_TRUE(machine.has_failed());
    check_announced(machine, result);
  }
}

void Failing::fail_every_read(int code, bool for_good) {
  for (std::uint64_t at = 1;; ++at) {
    SCOPED_TRACE(testing::Message() << "read " << at << ", code " << code);
    Machine machine = start_;
    machine.fail_read_at(at, code, for_good);
    const RepairResult result = run_repair(machine, plan_);
    if (!machine.has_failed()) break;
    check_announced(machine, result);
  }
}

void Failing::fail_every_operation_of_recovery(std::uint64_t down_at, int code, bool for_good) {
  fail_recovery(down_at, [&](Machine& machine, std::uint64_t at) { machine.fail_at(at, code, for_good); });
}

void Failing::fail_every_read_of_recovery(std::uint64_t down_at, int code, bool for_good) {
  fail_recovery(down_at,
                [&](Machine& machine, std::uint64_t at) { machine.fail_read_at(at, code, for_good); });
}

template <typename SetFault>
void Failing::fail_recovery(std::uint64_t down_at, SetFault set_fault) {
  Machine machine = start_;
  machine.go_down_at(down_at);
  EXPECT_THROW(run_repair(machine, plan_), MachineDown);
  for (const Machine& found : {machine.after_exit(), without_power(machine)}) {
    for (std::uint64_t at = 1;; ++at) {
      SCOPED_TRACE(testing::Message() << "number " << at << " of the recovery");
      Machine recovering = found;
      set_fault(recovering, at);
      const auto result = run_recovery(recovering);
      if (!recovering.has_failed()) break;
      ASSERT_TRUE(result);
      check_announced(recovering, *result);
    }
  }
}

// What was said holds, and holds on the medium.
void Failing::check_announced(const Machine& machine, const RepairResult& result) {
  ++failures_;
  EXPECT_FALSE(result.message.empty());
  EXPECT_EQ(machine.violations(), std::vector<std::string>{});
  check_next_start(machine.after_exit());
  check_next_start(without_power(machine));
  if (result.state == State::unfinished) return;
  // A journal that was never sealed, or that is refused, leaves the image as it was found.
  if (result.state == State::unchanged && machine.has(JournalName::journal)) return;
  const Contents& expected = result.state == State::done ? new_ : old_;
  EXPECT_TRUE(contents_of(machine) == expected) << result.message;
  Machine later = without_power(machine);
  EXPECT_TRUE(contents_of(later) == expected) << result.message;
  run_recovery(later);
  EXPECT_TRUE(contents_of(later) == expected) << "undone later: " << result.message;
}

void Failing::check_next_start(Machine machine) {
  const auto recovered = run_recovery(machine);
  EXPECT_TRUE(contents_of(machine) == old_ || contents_of(machine) == new_)
      << (recovered ? recovered->message : "no journal");
  EXPECT_FALSE(machine.has(JournalName::journal)) << (recovered ? recovered->message : "");
}

}  // namespace cowvet
