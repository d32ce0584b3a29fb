// What a start finds after an interruption, and who wrote in between: a committed journal says that the image
// is new and that only the mark is left; one that is not needs all of its files, and an answer where nobody
// can tell.
#include <gtest/gtest.h>

#include "checker/device/memory_device.h"
#include "repair/corrupt_mark.h"
#include "repair/journal.h"
#include "tests/repair/repairs.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

bool carries_mark(const Machine& machine) {
  Bytes header(kHeaderV3Bytes);
  machine.content(Machine::kImage).read(0, header);
  return is_marked(header);
}

bool is_committed(const Machine& machine) {
  const auto bytes = machine.bytes(JournalName::journal);
  if (!bytes) return false;
  const MemoryDevice device(*bytes);
  const auto journal = read_journal(device);
  return journal && journal->stage == JournalStage::committed;
}

// The process ends when the journal is committed, before the mark goes, or after it.
Machine committed(const HandMadeRepair& repair, bool with_mark) {
  for (std::uint64_t at = 1; at < 1000; ++at) {
    Machine machine = repair.machine;
    machine.go_down_at(at);
    EXPECT_THROW(run_repair(machine, repair.plan), MachineDown);
    if (is_committed(machine) && carries_mark(machine) == with_mark) return machine.after_exit();
  }
  ADD_FAILURE() << "never committed";
  return repair.machine;
}

// The machine is started anew; all that was written is there.
Machine after_restart(const Machine& machine) {
  std::mt19937_64 random(1);
  return machine.after_crash(std::vector<bool>(machine.pending(), true), Fate::kept, false, random);
}

Contents repaired(const HandMadeRepair& repair) {
  Machine machine = repair.machine;
  EXPECT_EQ(run_repair(machine, repair.plan).state, State::done);
  return contents_of(machine);
}

class Committed : public testing::TestWithParam<const char*> {
 protected:
  HandMadeRepair repair_ = hand_made_repair(GetParam());
};

INSTANTIATE_TEST_SUITE_P(Repairs, Committed,
                         testing::Values("one write in place", "growing image", "header and body",
                                         "data file"),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::ranges::replace(text, ' ', '_');
                           return text;
                         });

TEST_P(Committed, is_finished_whichever_way_the_user_wants_to_go) {
  for (const bool with_mark : {true, false})
    for (const Direction direction : {Direction::as_recorded, Direction::forward, Direction::back}) {
      Machine machine = committed(repair_, with_mark);
      EXPECT_EQ(run_recovery(machine, direction)->state, State::done);
      EXPECT_TRUE(contents_of(machine) == repaired(repair_));
      EXPECT_FALSE(machine.has(JournalName::journal));
    }
}

TEST_P(Committed, is_left_alone_where_somebody_wrote_though_the_mark_is_there) {
  Machine machine = committed(repair_, true);
  const std::uint64_t offset = repair_.plan.steps.back().writes.back().offset;
  const int inode = repair_.machine.has_data_file() ? Machine::kDataFile : Machine::kImage;
  machine.overwrite(inode, offset < kBlockBytes && inode == Machine::kImage ? 0x4008 : offset,
                    Bytes(1, std::byte{0x5a}));
  const Contents before = contents_of(machine);
  for (const bool restarted : {false, true}) {
    Machine start = restarted ? after_restart(machine) : machine;
    ASSERT_TRUE(contents_of(start) == before);
    const auto result = run_recovery(start);
    EXPECT_EQ(result->state, State::unchanged);
    EXPECT_NE(result->message.find("was changed by somebody else"), std::string::npos) << result->message;
    EXPECT_TRUE(contents_of(start) == before);
    EXPECT_TRUE(start.has(JournalName::journal));
  }
}

TEST_P(Committed, keeps_what_was_written_after_the_mark_was_gone) {
  Machine machine = committed(repair_, false);
  machine.overwrite(Machine::kImage, 0x5018, Bytes(1, std::byte{0x5a}));
  const Contents before = contents_of(machine);
  EXPECT_EQ(run_recovery(machine)->state, State::done);
  EXPECT_TRUE(contents_of(machine) == before);
}

TEST_P(Committed, gives_the_first_block_back_that_was_lost_with_the_machine_only) {
  Machine machine = committed(repair_, true);
  machine.overwrite(Machine::kImage, 0, Bytes(kBlockBytes, std::byte{0xa5}));
  const Contents before = contents_of(machine);
  Machine restarted = after_restart(machine);
  EXPECT_EQ(run_recovery(machine)->state, State::unchanged);
  EXPECT_TRUE(contents_of(machine) == before);
  EXPECT_EQ(run_recovery(restarted)->state, State::done);
  EXPECT_TRUE(contents_of(restarted) == repaired(repair_));
}

// Somewhere in the middle of the writes to the image.
Machine half_done(const HandMadeRepair& repair) {
  const Contents old = contents_of(repair.machine);
  for (std::uint64_t at = 1; at < 1000; ++at) {
    Machine machine = repair.machine;
    machine.go_down_at(at);
    EXPECT_THROW(run_repair(machine, repair.plan), MachineDown);
    if (contents_of(machine) == old) continue;
    machine = repair.machine;
    machine.go_down_at(at + 5);
    EXPECT_THROW(run_repair(machine, repair.plan), MachineDown);
    return machine.after_exit();
  }
  ADD_FAILURE() << "never wrote";
  return repair.machine;
}

TEST(Interrupted, needs_the_data_file_that_the_repair_writes_to) {
  Machine machine = half_done(hand_made_repair("data file"));
  const Contents before = contents_of(machine);
  MachineFiles on(machine);
  const auto result = recover({on.image, nullptr}, on.storage, {});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->state, State::unchanged);
  EXPECT_EQ(result->message, "the data file is needed: data");
  EXPECT_TRUE(contents_of(machine) == before);
  EXPECT_TRUE(machine.has(JournalName::journal));
}

TEST(Interrupted, asks_which_way_to_go_where_a_crash_or_a_third_party_may_have_written) {
  const HandMadeRepair repair = hand_made_repair("version 2");
  Machine machine = after_restart(half_done(repair));
  machine.overwrite(Machine::kImage, 0x4008, Bytes(16, std::byte{0xa5}));
  const Contents before = contents_of(machine);
  Machine forward = machine;
  const auto result = run_recovery(machine);
  EXPECT_EQ(result->state, State::unchanged);
  EXPECT_NE(result->message.find("--rollback or --resume decides"), std::string::npos) << result->message;
  EXPECT_TRUE(contents_of(machine) == before);
  EXPECT_EQ(run_recovery(machine, Direction::back)->state, State::rolled_back);
  EXPECT_TRUE(contents_of(machine) == contents_of(repair.machine));
  EXPECT_EQ(run_recovery(forward, Direction::forward)->state, State::done);
  EXPECT_TRUE(contents_of(forward) == repaired(repair));
}

TEST(Interrupted, refuses_files_that_cannot_be_those_of_the_journal) {
  const HandMadeRepair repair = hand_made_repair("data file");
  const Machine machine = half_done(repair);
  for (const int inode : {Machine::kImage, Machine::kDataFile})
    for (const std::uint64_t far : {std::uint64_t{1} << 20, std::uint64_t{1} << 30}) {
      Machine longer = machine;
      longer.overwrite(inode, far, Bytes(1));
      const auto result = run_recovery(longer);
      EXPECT_EQ(result->state, State::unchanged);
      EXPECT_NE(result->message.find("neither its old length nor its new one"), std::string::npos)
          << result->message;
    }
}

TEST(Interrupted, refuses_an_image_with_zeros_that_are_none_behind_its_old_end) {
  const HandMadeRepair repair = hand_made_repair("data file");
  Machine machine = half_done(repair);
  // The data file grows by two clusters; the repair writes to the first bytes of them.
  const std::uint64_t behind = repair.plan.data_file_bytes_after - 10;
  machine.overwrite(Machine::kDataFile, behind, Bytes(1, std::byte{1}));
  const auto result = run_recovery(machine);
  EXPECT_EQ(result->state, State::unchanged);
  EXPECT_NE(result->message.find("data file was changed by somebody else"), std::string::npos)
      << result->message;
}

}  // namespace
}  // namespace cowvet
