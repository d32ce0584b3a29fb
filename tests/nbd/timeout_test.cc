// cowvet check --timeout where the image does not even open.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test_base.h"
#include "tests/support/background_command.h"

namespace cowvet {
namespace {

class NbdTimeout : public CliTest {};

constexpr const char* kSilentServer =
    "exec /usr/bin/python3 -c \"import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind('socket');"
    "s.listen(); print('ready', flush=True); sys.stdin.read()\"";

TEST_F(NbdTimeout, is_over_when_a_server_does_not_answer) {
  BackgroundCommand server(kSilentServer, directory_.path());
  ASSERT_TRUE(server.ask("", "ready"));
  const CommandResult result = cowvet("check --timeout 1 --output json 'nbd+unix:///?socket=socket'");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, testing::HasSubstr("cowvet: not verified"));
  EXPECT_EQ(nlohmann::json::parse(result.out).at("verdict"), "incomplete");
}

}  // namespace
}  // namespace cowvet
