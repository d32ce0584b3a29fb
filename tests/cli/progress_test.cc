// Progress of cowvet check, as who waits for it gets it.
#include <gmock/gmock.h>

#include <sstream>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

class ProgressTest : public CliTest {
 protected:
  // Its digest takes a while.
  void make_slow() const {
    make_image("a.qcow2");
    prepare("truncate -s 1G a.qcow2");
  }
  // Of a check with the signal when the image is open.
  CommandResult check_and_signal(const std::string& options) const {
    return shell(
        shell_quote(COWVET_PROGRAM) + " check -q --evidence " + options +
        " a.qcow2 & for i in $(seq 1000); do ls -l /proc/$!/fd 2>/dev/null | grep -q 'a.qcow2$' && break;"
        "sleep 0.01; done; sleep 0.1; kill -USR1 $!; wait $!");
  }
};

TEST_F(ProgressTest, is_told_on_the_signal) {
  make_slow();
  const CommandResult result = check_and_signal("");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.err, MatchesRegex("a.qcow2: hash the file, [0-9]+%\n"));
}

TEST_F(ProgressTest, is_shown_where_asked_for) {
  make_slow();
  EXPECT_THAT(cowvet("check -q -p --evidence a.qcow2").err, HasSubstr("a.qcow2: "));
  EXPECT_EQ(cowvet("check -q --evidence a.qcow2").err, "");
}

TEST_F(ProgressTest, goes_to_a_descriptor_in_the_format_of_e2fsck) {
  make_slow();
  EXPECT_EQ(cowvet("check -q --evidence --progress-fd 3 a.qcow2 3>lines").status, 0);
  std::istringstream lines(shell("cat lines").out);
  int last_pass = 1;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    std::istringstream words(line);
    int pass = 0;
    std::uint64_t current = 0;
    std::uint64_t total = 0;
    std::string rest;
    words >> pass >> current >> total;
    std::getline(words, rest);
    EXPECT_GE(pass, last_pass) << line;
    EXPECT_LE(pass, 5) << line;
    EXPECT_LE(current, total) << line;
    EXPECT_EQ(rest, " a.qcow2");
    last_pass = pass;
  }
  EXPECT_GE(count, 2);
}

TEST_F(ProgressTest, needs_a_descriptor_that_can_be_written_to) {
  make_image("a.qcow2");
  for (const char* wrong : {"x", "-1", "99", "4294967297"}) {
    const CommandResult result = cowvet("check --progress-fd=" + std::string(wrong) + " a.qcow2");
    EXPECT_EQ(result.status, 1) << wrong;
    EXPECT_THAT(result.err, HasSubstr("--progress-fd"));
  }
  EXPECT_EQ(cowvet("check --progress-fd 3 a.qcow2 3<a.qcow2").status, 1);
  EXPECT_EQ(cowvet("check -q --progress-fd 3 a.qcow2 3>/dev/full").status, 0);
}

}  // namespace
}  // namespace cowvet
