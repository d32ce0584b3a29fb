// Journals that must not be carried out, undo files that must not be taken back, and those that must.
#include <gtest/gtest.h>

#include "checker/device/memory_device.h"
#include "repair/journal.h"
#include "tests/repair/repairs.h"

namespace cowvet {
namespace {

using State = RepairResult::State;

// The process ends in the middle of a repair; the machine stays up.
Machine interrupted(const HandMadeRepair& repair, std::uint64_t operation) {
  Machine machine = repair.machine;
  machine.go_down_at(operation);
  EXPECT_THROW(run_repair(machine, repair.plan), MachineDown);
  return machine.after_exit();
}

// How many operations the journal takes before the image is touched.
std::uint64_t first_write(const HandMadeRepair& repair) {
  for (std::uint64_t at = 1;; ++at)
    if (!(contents_of(interrupted(repair, at)) == contents_of(repair.machine))) return at;
}

Machine repaired(const HandMadeRepair& repair) {
  Machine machine = repair.machine;
  EXPECT_EQ(run_repair(machine, repair.plan).state, State::done);
  return machine.after_exit();
}

TEST(Recovery, finds_nothing_to_do_without_a_journal) {
  Machine machine = hand_made_repair("growing image").machine;
  EXPECT_FALSE(run_recovery(machine));
}

TEST(Recovery, goes_the_way_the_user_wants) {
  const HandMadeRepair repair = hand_made_repair("data file");
  Machine machine = interrupted(repair, first_write(repair) + 12);
  Machine other = machine;
  EXPECT_EQ(run_recovery(machine, Direction::back)->state, State::rolled_back);
  EXPECT_TRUE(contents_of(machine) == contents_of(repair.machine));
  EXPECT_EQ(run_recovery(other, Direction::forward)->state, State::done);
  EXPECT_TRUE(contents_of(other) == contents_of(repaired(repair)));
}

TEST(Recovery, refuses_when_a_third_party_wrote_in_between) {
  for (const char* name : {"growing image", "version 2", "data file"}) {
    SCOPED_TRACE(name);
    const HandMadeRepair repair = hand_made_repair(name);
    for (const std::uint64_t offset : {0x4008, 0x4500, 0x7000, 0x1f}) {
      Machine machine = interrupted(repair, first_write(repair) + 5);
      machine.overwrite(Machine::kImage, offset, Bytes(1, std::byte{0x5a}));
      const Contents before = contents_of(machine);
      for (const Direction direction : {Direction::as_recorded, Direction::back, Direction::forward}) {
        const auto result = run_recovery(machine, direction);
        ASSERT_TRUE(result);
        EXPECT_EQ(result->state, State::unchanged);
        EXPECT_FALSE(result->message.empty());
      }
      EXPECT_TRUE(contents_of(machine) == before) << offset;
      EXPECT_TRUE(machine.has(JournalName::journal));
    }
  }
}

TEST(Recovery, refuses_when_somebody_cleared_the_corrupt_bit_in_between) {
  const HandMadeRepair repair = hand_made_repair("growing image");
  Machine machine = interrupted(repair, first_write(repair) + 5);
  machine.overwrite(Machine::kImage, 79, Bytes(1));
  const auto result = run_recovery(machine);
  EXPECT_EQ(result->state, State::unchanged);
  EXPECT_NE(result->message.find("corrupt bit"), std::string::npos) << result->message;
}

TEST(Recovery, refuses_when_the_length_is_another) {
  const HandMadeRepair repair = hand_made_repair("growing image");
  Machine machine = interrupted(repair, first_write(repair) + 5);
  machine.overwrite(Machine::kImage, 0x20000, Bytes(1));
  EXPECT_EQ(run_recovery(machine)->state, State::unchanged);
  EXPECT_EQ(run_recovery(machine, Direction::back)->state, State::unchanged);
}

TEST(Recovery, refuses_a_sealed_journal_with_any_bit_flipped) {
  const HandMadeRepair repair = hand_made_repair("one write in place");
  const Machine machine = interrupted(repair, first_write(repair) + 3);
  const Contents before = contents_of(machine);
  const Bytes journal = *machine.bytes(JournalName::journal);
  // All of it but its last block, the seal: a journal without one was never begun.
  for (std::size_t at = 0; at + kBlockBytes < journal.size(); at += at < 400 ? 1 : 97) {
    Machine damaged = machine;
    Bytes bytes = journal;
    bytes[at] ^= std::byte{0x10};
    damaged.overwrite(JournalName::journal, bytes);
    EXPECT_EQ(run_recovery(damaged)->state, State::unchanged) << at;
    EXPECT_TRUE(contents_of(damaged) == before) << at;
    EXPECT_TRUE(damaged.has(JournalName::journal)) << at;
  }
}

TEST(Undo, gives_back_the_old_image_and_undoing_that_the_new_one) {
  for (const HandMadeRepair& repair : hand_made_repairs()) {
    SCOPED_TRACE(repair.name);
    Machine machine = repaired(repair);
    const Contents after = contents_of(machine);
    EXPECT_EQ(run_undo(machine).state, State::done);
    EXPECT_TRUE(contents_of(machine) == contents_of(repair.machine));
    EXPECT_EQ(run_undo(machine).state, State::done);
    EXPECT_TRUE(contents_of(machine) == after);
  }
}

TEST(Undo, refuses_an_undo_file_with_any_bit_flipped) {
  const Machine machine = repaired(hand_made_repair("one write in place"));
  const Bytes file = *machine.bytes(JournalName::undo);
  for (std::size_t at = 0; at < file.size(); at += at < 400 ? 1 : 97) {
    Machine damaged = machine;
    Bytes bytes = file;
    bytes[at] ^= std::byte{0x01};
    damaged.overwrite(JournalName::undo, bytes);
    EXPECT_EQ(run_undo(damaged).state, State::unchanged) << at;
    EXPECT_TRUE(contents_of(damaged) == contents_of(machine)) << at;
  }
}

TEST(Undo, refuses_an_undo_file_without_its_tail) {
  const Machine machine = repaired(hand_made_repair("one write in place"));
  const Bytes file = *machine.bytes(JournalName::undo);
  for (std::size_t length = 0; length < file.size(); length += 61) {
    Machine damaged = machine;
    damaged.overwrite(JournalName::undo, Bytes(file.begin(), file.begin() + static_cast<long>(length)));
    EXPECT_EQ(run_undo(damaged).state, State::unchanged) << length;
  }
}

TEST(Undo, refuses_another_image_and_one_that_was_written_to) {
  const Machine machine = repaired(hand_made_repair("growing image"));
  Machine written = machine;
  written.overwrite(Machine::kImage, 0x4010, Bytes(1, std::byte{0x77}));
  EXPECT_EQ(run_undo(written).state, State::unchanged);
  Machine other = repaired(hand_made_repair("header and body"));
  other.overwrite(JournalName::undo, *machine.bytes(JournalName::undo));
  EXPECT_EQ(run_undo(other).state, State::unchanged);
  Machine none = hand_made_repair("growing image").machine;
  EXPECT_EQ(run_undo(none).state, State::unchanged);
}

}  // namespace
}  // namespace cowvet
