// Files that cannot be what the command line takes them for: each message says which one and why, and nothing
// is written.
#include <gmock/gmock.h>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(CliTest, names_files_that_cannot_be_used_and_writes_nothing) {
  make_image("a.qcow2");
  prepare("mkdir d && mkfifo fifo && ln -s loop loop && echo text > text && echo 'allow all' > policy");
  EXPECT_EQ(cowvet("pack a.qcow2 -o pack").status, 0);
  prepare("head -c 100 pack > cut");
  const std::string before = shell("ls -A").out;
  for (const auto& [arguments, status, reason] :
       {std::tuple("check missing", 1, "missing: No such file or directory"),
        {"check loop", 1, "loop: Too many levels of symbolic links"},
        {"check d", 1, "d is a directory"},
        {"check fifo", 1, "fifo is a FIFO"},
        {"check /dev/null", 1, "/dev/null is a character device"},
        {"check ''", 1, "an empty name names no file"},
        {"check --policy missing a.qcow2", 1,
         "the policy 'missing' cannot be read: No such file or directory"},
        {"check --policy d a.qcow2", 1, "the policy 'd' cannot be read: Is a directory"},
        {"check --policy policy a.qcow2", 1,
         "policy: line 1: 'allow all' is no statement of a policy (cowvet-policy(5) has them)"},
        {"check --plan text a.qcow2", 1, "the plan cannot be written to text: it must be a new file"},
        {"check --data-file text a.qcow2", 1, "a.qcow2 has no external data file"},
        {"check nbd://127.0.0.1:1/a", 1, "nbd://127.0.0.1:1/a: "},
        {"map missing", 1, "missing: No such file or directory"},
        {"report missing -o new", 1, "missing: No such file or directory"},
        {"report a.qcow2 -o text", 1, "the report cannot be written to text: it must be a new file"},
        {"report a.qcow2 -o missing/new", 1, "missing/new: No such file or directory"},
        {"pack text -o new", 63, "text: not a qcow2 image"},
        {"unpack missing -o new", 1, "the pack 'missing' cannot be read: No such file or directory"},
        {"unpack d -o new", 1, "the pack 'd' cannot be read: Is a directory"},
        {"unpack text -o new", 1, "text: this is not a cowvet pack"},
        {"unpack cut -o new", 1, "cut: the pack is damaged"},
        {"unpack pack -o text", 1, "text: it must be a new file"},
        {"triage --merge missing", 1, "the triage 'missing' cannot be read: No such file or directory"},
        {"triage --merge d", 1, "the triage 'd' cannot be read: Is a directory"},
        {"triage --merge text", 1, "text: line 1 is not of a triage"},
        {"triage --distill text a.qcow2", 1, "text: "}}) {
    const CommandResult result = cowvet(arguments);
    EXPECT_EQ(result.status, status) << arguments << '\n' << result.err;
    EXPECT_THAT(result.err, StartsWith("cowvet: ")) << arguments;
    EXPECT_THAT(result.err, HasSubstr(reason)) << arguments;
    EXPECT_THAT(result.err, Not(HasSubstr("filesystem error"))) << arguments;
  }
  EXPECT_EQ(shell("ls -A").out, before);
}

}  // namespace
}  // namespace cowvet
