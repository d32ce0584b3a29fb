// Memory runs out at any point: the programs say so and exit with 1, and the image is as it was.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

class Allocation : public testing::Test {
 protected:
  Allocation() {
    const CommandResult made = run_script(
        "qemu-img create -q -f qcow2 -o cluster_size=4k sound 4M\n"
        "qemu-io -t unsafe -c 'write -P 1 0 1M' -c 'write -c -P 2 2M 64k' sound >/dev/null\n"
        "qemu-img snapshot -c one sound\n"
        "qemu-io -t unsafe -c 'write -P 3 0 256k' sound >/dev/null\n"
        // A leak, and an entry that says the wrong thing.
        "cp sound damaged; printf '\\0\\1' | dd of=damaged bs=1 seek=$((0x2000 + 2 * 900)) conv=notrunc "
        "2>/dev/null\n",
        directory_.path());
    EXPECT_EQ(made.status, 0) << made.err;
  }

  std::string bytes_of(const std::string& name) const {
    std::ifstream in(directory_.file(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  // Fails allocation 2, 3, 4 and so on, in growing steps, until the program needs no more. Returns how often
  // it failed. (The first one is a reserve of the C++ runtime, which does without.)
  int run_until_it_succeeds(const std::string& command, const std::string& image, int status) {
    const std::string before = bytes_of(image);
    int failures = 0;
    for (unsigned long number = 2;; number += 1 + number / 16) {
      const CommandResult result =
          run_script(fmt::format("rm -f plan\nLD_PRELOAD={} COWVET_FAIL_ALLOCATION={} {}",
                                 shell_quote(COWVET_ALLOCATION_SHIM), number, command),
                     directory_.path());
      SCOPED_TRACE(fmt::format("allocation {} of {}", number, command));
      EXPECT_EQ(bytes_of(image), before);
      if (result.status == status && result.err.empty()) return failures;
      ++failures;
      EXPECT_EQ(result.status, 1) << result.out << result.err;
      EXPECT_NE(result.err, "");
      if (HasFailure() || number > 1'000'000) return failures;
    }
  }

  TemporaryDirectory directory_;
};

TEST_F(Allocation, that_fails_ends_a_check_with_a_message) {
  const std::string check = shell_quote(COWVET_PROGRAM) + " check --deep --threads=1 ";
  EXPECT_GT(run_until_it_succeeds(check + "sound", "sound", 0), 20);
  EXPECT_GT(run_until_it_succeeds(check + "damaged", "damaged", 3), 20);
}

TEST_F(Allocation, that_fails_in_any_thread_ends_a_check_with_a_message) {
  const std::string check = shell_quote(COWVET_PROGRAM) + " check --deep --threads=3 ";
  EXPECT_GT(run_until_it_succeeds(check + "sound", "sound", 0), 20);
}

TEST_F(Allocation, that_fails_ends_planning_with_a_message) {
  EXPECT_GT(run_until_it_succeeds(shell_quote(COWVET_PROGRAM) + " check --threads=1 --plan plan damaged",
                                  "damaged", 3),
            20);
}

// Fails one allocation of a repair after the other, and `count` in a row each time: the image is on either
// side of the repair, or the next start brings it there.
class AllocationOfARepair : public Allocation {
 protected:
  void run(int count) {
    const std::string repair = shell_quote(COWVET_REPAIR_PROGRAM) + " -q --yes image";
    const std::string old_bytes = bytes_of("damaged");
    ASSERT_EQ(run_script("cp damaged image; " + repair, directory_.path()).status, 0);
    const std::string new_bytes = bytes_of("image");
    ASSERT_NE(new_bytes, old_bytes);
    // Some allocations may fail without harm; after so many in a row the program needs no more.
    int harmless = 0;
    for (unsigned long number = 1; harmless < 10; number += 1 + number / 64) {
      SCOPED_TRACE(fmt::format("allocation {}", number));
      const CommandResult result =
          run_script(fmt::format("rm -f image*; cp damaged image\n"
                                 "LD_PRELOAD={} COWVET_FAIL_ALLOCATION={} COWVET_FAIL_ALLOCATION_COUNT={} {}",
                                 shell_quote(COWVET_ALLOCATION_SHIM), number, count, repair),
                     directory_.path());
      harmless = result.status == 0 && result.err.empty() ? harmless + 1 : 0;
      EXPECT_TRUE(result.status == 0 || !result.err.empty());
      const std::string left = bytes_of("image");
      const bool has_journal = std::ifstream(directory_.file("image.cowvet-journal")).is_open();
      if (left != old_bytes && left != new_bytes) {
        EXPECT_TRUE(has_journal);
      }
      unbegun_ += result.status == 1 && !has_journal ? 1 : 0;
      unfinished_ += has_journal ? 1 : 0;
      taken_back_ += result.status == 65 ? 1 : 0;
      EXPECT_TRUE(result.status == 1 || (result.status == 65 && left == old_bytes) || left == new_bytes)
          << result.status << result.err;
      EXPECT_EQ(run_script(repair, directory_.path()).status, 0);
      EXPECT_TRUE(bytes_of("image") == new_bytes);
      ASSERT_FALSE(HasFailure());
      ASSERT_LT(number, 1'000'000u);
    }
    EXPECT_GT(unbegun_, 50);
  }

  int unbegun_ = 0;
  int taken_back_ = 0;
  int unfinished_ = 0;
};

TEST_F(AllocationOfARepair, that_fails_once_takes_the_repair_back) {
  run(1);
  EXPECT_GT(taken_back_, 5);
}

TEST_F(AllocationOfARepair, that_fails_for_good_leaves_what_the_next_start_finishes) {
  run(100'000'000);
  EXPECT_GT(unfinished_, 5);
}

}  // namespace
}  // namespace cowvet
