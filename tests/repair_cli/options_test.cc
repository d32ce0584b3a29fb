// The command line: what it says of itself, and what it says of options that make no sense together.
#include "repair/cli/options.h"

#include "tests/repair_cli/repair_cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using RepairOptionsTest = RepairCliTest;

TEST_F(RepairOptionsTest, that_do_not_go_together_are_named_and_nothing_is_done) {
  make_wiped_refcounts("a.qcow2");
  const std::string before = content("a.qcow2");
  for (const auto& [arguments, reason] :
       {std::pair("", "no image given"),
        {"a.qcow2 b.qcow2", "one image"},
        {"--undo --resume a.qcow2", "--undo, --resume and --rollback"},
        {"--resume --rollback a.qcow2", "--undo, --resume and --rollback"},
        {"--undo --dry-run a.qcow2", "--dry-run"},
        {"--undo --plan p a.qcow2", "make no plan"},
        {"--resume --allow lossy a.qcow2", "make no plan"},
        {"--rollback --deep a.qcow2", "make no plan"},
        {"--undo --output new a.qcow2", "--output"},
        {"--yes --undo-file u a.qcow2", "--undo-file goes with --undo"},
        {"--rollback --no-undo a.qcow2", "--rollback"},
        {"--yes --plan p --only l2/copied a.qcow2", "settled"},
        {"--yes --plan p --leaks-only a.qcow2", "settled"},
        {"--yes --plan p --deep a.qcow2", "settled"},
        {"--yes --dry-run a.qcow2", "--dry-run"},
        {"--yes --output new --journal j a.qcow2", "--journal"},
        {"--yes --output new --no-undo a.qcow2", "undo"},
        {"--yes --json --quiet a.qcow2", "--json"},
        {"--json a.qcow2", "--json does not ask"},
        {"--output json a.qcow2", "--json does not ask"},
        {"--yes nbd://127.0.0.1/a", "examined, not repaired"},
        {"--yes --output=json --quiet a.qcow2", "--json"},
        {"--yes --output=sarif a.qcow2", "./sarif"},
        {"--yes --output one --output two a.qcow2", "one copy"},
        {"--yes --output '' a.qcow2", "--output needs"},
        {"--yes --progress-fd x a.qcow2", "--progress-fd"},
        {"--yes --progress-fd 77 a.qcow2", "open for writing"},
        {"-q a.qcow2", "--quiet"},
        {"--yes --allow all a.qcow2", "metadata or lossy"},
        {"--yes --only l2/copeid a.qcow2", "there is no rule"},
        {"--yes --choose l2/copied a.qcow2", "RULE=OUTCOME"},
        {"--yes --threads x a.qcow2", "--threads"},
        {"--yes --max-memory 1X a.qcow2", "--max-memory"},
        {"--yes --follow a.qcow2 a.qcow2", "--follow"},
        {"--yes -f raw a.qcow2", "qcow2 images only"},
        {"--yes -U a.qcow2", "-U"},
        {"--yes --discard a.qcow2", "--no-undo or --output"},
        {"--undo --no-undo --discard a.qcow2", "--discard goes with a repair"},
        {"--yes --data-file d a.qcow2", "no external data file"}}) {
    const CommandResult result = repair(arguments);
    EXPECT_EQ(result.status, 1) << arguments;
    EXPECT_THAT(result.out, IsEmpty()) << arguments;
    EXPECT_THAT(result.err, StartsWith("cowvet-repair: ")) << arguments;
    EXPECT_THAT(result.err, HasSubstr(reason)) << arguments;
  }
  EXPECT_TRUE(content("a.qcow2") == before);
  EXPECT_EQ(names(), "a.qcow2");
}

TEST_F(RepairOptionsTest, are_all_in_the_help_and_so_is_every_exit_status) {
  const std::string help = repair("--help").out;
  for (const char* words : {"--yes",
                            "--dry-run",
                            "--plan FILE",
                            "--output NEW",
                            "--undo",
                            "--resume",
                            "--rollback",
                            "--journal PATH",
                            "--no-undo",
                            "--allow CLASS",
                            "--choose RULE=OUTCOME",
                            "--only RULE",
                            "--leaks-only",
                            "--deep",
                            "--json",
                            "  0 ",
                            "  1 ",
                            "  2 ",
                            "  3 ",
                            "  63 ",
                            "  64 ",
                            "  65 "})
    EXPECT_THAT(help, HasSubstr(words));
  EXPECT_THAT(repair("--version").out, StartsWith("cowvet-repair "));
  EXPECT_EQ(repair("--help >/dev/full").status, 1);
}

}  // namespace
}  // namespace cowvet
