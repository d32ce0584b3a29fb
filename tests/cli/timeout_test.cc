// cowvet check --timeout: what is printed when the time is over is whole, and says what was not verified.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Timeout : public CliTest {
 protected:
  // "slow" takes far longer than a second: its digest is that of 64 GiB.
  void make_images() const {
    prepare("qemu-img create -q -f qcow2 quick 1M; cp quick slow; truncate -s 64G slow");
  }
  CommandResult check(const std::string& arguments) const {
    return cowvet("check --evidence --timeout 0.7 " + arguments);
  }
};

TEST_F(Timeout, is_not_noticed_where_there_is_time_left) {
  make_images();
  const CommandResult result = cowvet("check --timeout 600 --output json quick");
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(json::parse(result.out).at("verdict"), "sound");
  for (const auto* wrong : {"x", "-1", "nan", "1e30", "1s"})
    EXPECT_EQ(cowvet(std::string("check --timeout ") + wrong + " quick").status, 1) << wrong;
}

TEST_F(Timeout, leaves_a_json_document_that_says_not_verified) {
  make_images();
  const CommandResult result = check("--output json slow");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("not verified"));
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("filename"), "slow");
  EXPECT_EQ(report.at("verdict"), "incomplete");
  EXPECT_EQ(report.at("status"), 1);
  EXPECT_THAT(report.at("summary").get<std::string>(), HasSubstr("not verified"));
}

TEST_F(Timeout, tells_what_was_verified_from_what_was_not) {
  make_images();
  const CommandResult result = cowvet("check --evidence --timeout 3 --output json quick slow quick");
  EXPECT_EQ(result.status, 1);
  std::vector<std::string> verdicts;
  std::istringstream lines(result.out);
  for (std::string line; std::getline(lines, line);) verdicts.push_back(json::parse(line).at("verdict"));
  EXPECT_THAT(verdicts, testing::ElementsAre("sound", "incomplete", "incomplete"));
}

TEST_F(Timeout, closes_a_document_of_several_images) {
  make_images();
  EXPECT_EQ(check("--output sarif quick slow >log 2>/dev/null").status, 1);
  const CommandResult read = shell("/usr/bin/python3 " COWVET_SOURCE_DIR "/tests/report/read_sarif.py log");
  EXPECT_EQ(read.status, 0) << read.err;
}

// More than a pipe takes, read only when the time is over already.
TEST_F(Timeout, cuts_no_line_of_who_reads_late) {
  make_images();
  const CommandResult result =
      shell("names=$(for i in $(seq 3000); do echo quick; done); (set +e; " + shell_quote(COWVET_PROGRAM) +
            " check --timeout 1 --output json $names 2>/dev/null; echo $? >status) | (sleep 2; cat)");
  std::istringstream lines(result.out);
  std::string verdict;
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) verdict = json::parse(line).at("verdict");
  EXPECT_EQ(count, 3000);
  EXPECT_EQ(verdict, "incomplete");
  EXPECT_EQ(shell("cat status").out, "1\n");
}

TEST_F(Timeout, ends_the_program_when_nobody_reads) {
  make_images();
  const CommandResult result =
      shell("names=$(for i in $(seq 3000); do echo quick; done); (set +e; " + shell_quote(COWVET_PROGRAM) +
            " check --timeout 1 --output json $names; echo $? >status) | sleep 8; cat status");
  EXPECT_EQ(result.out, "1\n");
}

}  // namespace
}  // namespace cowvet
