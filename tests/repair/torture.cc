#include "tests/repair/torture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "repair/corrupt_mark.h"

namespace cowvet {
namespace {

constexpr Fate kFates[] = {Fate::torn_512, Fate::torn_4096, Fate::garbled_512, Fate::garbled_4096};

Bytes header_of(const Contents& contents) {
  Bytes header(std::min<std::uint64_t>(contents.image.size(), kHeaderV3Bytes));
  contents.image.read(0, header);
  return header;
}

}  // namespace

Torture::Torture(Machine start, Run run, const Thoroughness& thoroughness)
    : start_(std::move(start)), run_(std::move(run)), thoroughness_(thoroughness) {
  Machine finished = start_;
  const RepairResult result = run_(finished);
  EXPECT_EQ(result.state, RepairResult::State::done) << result.message;
  EXPECT_EQ(finished.violations(), std::vector<std::string>{});
  old_ = contents_of(start_);
  new_ = contents_of(finished);
  operations_ = finished.operations();
  is_markable_ = can_be_marked(header_of(old_));
  EXPECT_FALSE(old_ == new_);
}

std::uint64_t Torture::seed() {
  const char* text = std::getenv("COWVET_CRASH_SEED");
  return text == nullptr ? 2026 : std::strtoull(text, nullptr, 10);
}

void Torture::crash_everywhere() {
  for (std::uint64_t at = 1; at <= operations_ && !testing::Test::HasFailure(); ++at) {
    Machine machine = start_;
    machine.go_down_at(at);
    EXPECT_THROW(run_(machine), MachineDown);
    where_ = fmt::format("operation {}", at);
    process_ends(machine);
    for_each_crash(machine, [&](Machine& crashed, bool garbled) {
      check_guarded(crashed);
      if (states_ % thoroughness_.second_crash_every == 0) crash_again(crashed);
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

// The process is killed, and the machine stays up: what was written is there, on the medium or not.
void Torture::process_ends(const Machine& machine) {
  ++states_;
  Machine next = machine.after_exit();
  check_guarded(next);
  if (random_() % thoroughness_.killed_every == 0) crash_again(next);
  recover_and_check(next, false);
}

// Every fate of what was pending: all subsets where there are few, else random ones; the lost writes gone
// altogether, torn or garbled.
void Torture::for_each_crash(const Machine& machine, const Visit& visit) {
  const std::size_t pending = machine.pending();
  const bool all = pending <= thoroughness_.all_subsets_up_to;
  const std::uint64_t subsets = all ? std::uint64_t{1} << pending : thoroughness_.samples;
  const std::uint64_t between_torn = divide_up(subsets, thoroughness_.torn_subsets);
  for (std::uint64_t subset = 0; subset < subsets; ++subset) {
    std::vector<bool> kept(pending);
    for (std::size_t i = 0; i < pending; ++i) kept[i] = all ? subset >> i & 1 : random_() % 2;
    visit_one(machine, kept, Fate::dropped, visit);
    // Not every subset is torn and garbled in every way, but every operation is.
    if (pending == 0 || subset % between_torn != 0) continue;
    for (const Fate fate : kFates) visit_one(machine, kept, fate, visit);
  }
}

void Torture::visit_one(const Machine& machine, const std::vector<bool>& kept, Fate fate,
                        const Visit& visit) {
  if (testing::Test::HasFailure()) return;
  ++states_;
  Machine crashed = machine.after_crash(kept, fate, states_ % 2 == 0, random_);
  visit(crashed, fate == Fate::garbled_512 || fate == Fate::garbled_4096);
}

// In between, QEMU must not write: the header carries the mark, or is none.
void Torture::check_guarded(const Machine& crashed) {
  const Contents contents = contents_of(crashed);
  if (!is_markable_ || contents == old_ || contents == new_) return;
  const Bytes header = header_of(contents);
  EXPECT_TRUE(is_marked(header) || !can_be_marked(header)) << where_;
  if (!look_ || ++in_between_ != next_look_) return;
  next_look_ *= kBetweenLooks;
  look_(contents);
}

void Torture::recover_and_check(Machine& machine, bool garbled) {
  std::optional<RepairResult> result = run_recovery(machine);
  const Contents contents = contents_of(machine);
  if (garbled && !is_markable_ && result && !(contents == old_) && !(contents == new_)) {
    // Without a mark nobody can tell garbage from what a third party wrote: the user decides.
    EXPECT_EQ(result->state, RepairResult::State::unchanged) << where_;
    ++asked_;
    result = run_recovery(machine, Direction::back);
  }
  check_ended(machine, result);
}

void Torture::check_ended(const Machine& machine, const std::optional<RepairResult>& result) {
  const Contents contents = contents_of(machine);
  const bool is_old = contents == old_;
  const bool is_new = contents == new_;
  EXPECT_TRUE(is_old || is_new) << where_ << ": " << (result ? result->message : "no journal");
  EXPECT_FALSE(machine.has(JournalName::journal)) << where_ << ": " << (result ? result->message : "");
  EXPECT_EQ(machine.violations(), std::vector<std::string>{}) << where_;
  const auto state = result ? result->state : RepairResult::State::unchanged;
  EXPECT_TRUE(state != RepairResult::State::done || is_new) << where_;
  EXPECT_TRUE(state != RepairResult::State::rolled_back || is_old) << where_;
  ++(is_old ? old_ends_ : new_ends_);
}

// The machine goes down in the middle of the recovery, too.
void Torture::crash_again(const Machine& crashed) {
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

}  // namespace cowvet
