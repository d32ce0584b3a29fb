#include <gmock/gmock.h>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

class Help : public CliTest {};
class ExplainCommand : public CliTest {};

TEST_F(Help, lists_the_commands) {
  const CommandResult result = cowvet("help");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("\n  check "));
  EXPECT_THAT(result.out, HasSubstr("\n  explain "));
  EXPECT_EQ(cowvet("--help").out, result.out);
  EXPECT_EQ(cowvet("-h").out, result.out);
}

TEST_F(Help, of_a_command_lists_its_options) {
  const CommandResult result = cowvet("help check");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, StartsWith("Usage: cowvet check "));
  EXPECT_THAT(result.out, HasSubstr("\n  -U, --force-share "));
  EXPECT_EQ(cowvet("check --help").out, result.out);
}

TEST_F(Help, tells_the_version) {
  EXPECT_THAT(cowvet("--version").out, MatchesRegex("cowvet [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Help, is_offered_where_the_command_is_missing_or_unknown) {
  for (const auto& [arguments, message] : {std::pair("", "no command given"),
                                           {"nothing", "there is no command 'nothing'"},
                                           {"--nothing", "there is no command '--nothing'"},
                                           {"help nothing", "there is no command 'nothing'"}}) {
    const CommandResult result = cowvet(arguments);
    EXPECT_EQ(result.status, 1) << arguments;
    EXPECT_THAT(result.out, IsEmpty()) << arguments;
    EXPECT_THAT(result.err, StartsWith("cowvet: " + std::string(message))) << arguments;
    EXPECT_THAT(result.err, HasSubstr("Try 'cowvet --help'.")) << arguments;
  }
}

TEST_F(ExplainCommand, explains_each_rule_that_is_given) {
  const CommandResult result = cowvet("explain l2/copied refcount/leak");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, StartsWith("l2/copied\n\nReported "));
  EXPECT_THAT(result.out, HasSubstr("\nrefcount/leak\n\nReported "));
}

TEST_F(ExplainCommand, lists_all_rules) {
  const CommandResult result = cowvet("explain --list");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("l2/copied "));
}

TEST_F(ExplainCommand, suggests_what_may_have_been_meant) {
  const CommandResult result = cowvet("explain l2/copeid");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, StartsWith("cowvet: there is no rule 'l2/copeid'; did you mean l2/copied?\n"));
  EXPECT_EQ(cowvet("explain").status, 1);
}

}  // namespace
}  // namespace cowvet
