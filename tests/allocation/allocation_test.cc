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

}  // namespace
}  // namespace cowvet
