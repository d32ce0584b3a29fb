// The sandbox as the kernel enforces it: in the real program, and with each command.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "checker/sandbox/seccomp_filters.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using testing::AnyOf;
using testing::Each;
using testing::HasSubstr;
using testing::Pair;

class Sandbox : public testing::Test {
 protected:
  Sandbox() {
    shell(
        "qemu-img create -q -f qcow2 a.qcow2 4M; qemu-io -c 'write -P 1 0 1M' a.qcow2 >/dev/null;"
        "touch victim other");
  }
  CommandResult shell(const std::string& script) const { return run_script(script, directory_.path()); }
  CommandResult cowvet(const std::string& words) const {
    return shell(shell_quote(COWVET_PROGRAM) + " " + words);
  }
  // What was tried in the process, and the errno value that came of it.
  std::map<std::string, int> intrude(const std::string& words) const {
    const CommandResult result = shell("LD_PRELOAD=" + shell_quote(COWVET_INTRUDER_SHIM) + " " +
                                       shell_quote(COWVET_PROGRAM) + " " + words + " || test $? = 1");
    EXPECT_EQ(result.status, 0) << result.err;
    std::map<std::string, int> outcomes;
    std::istringstream lines(result.err);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words_of(line);
      std::string intruder, what;
      int outcome = 0;
      if (words_of >> intruder >> what >> outcome && intruder == "intruder:") outcomes[what] = outcome;
    }
    return outcomes;
  }
  bool offered() const { return both_parts(cowvet("check -v -q a.qcow2").err); }
  static bool both_parts(const std::string& said) {
    return said.find("Landlock (version") != std::string::npos && said.find(", seccomp") != std::string::npos;
  }

  TemporaryDirectory directory_;
};

constexpr std::size_t kTried = 17;

class SandboxOf : public Sandbox, public testing::WithParamInterface<const char*> {};

TEST_P(SandboxOf, refuses_all_but_reading_the_image) {
  if (!offered()) GTEST_SKIP() << "this kernel, or this container, offers no Landlock or no seccomp";
  const auto outcomes = intrude(GetParam());
  EXPECT_EQ(outcomes.size(), kTried);
  EXPECT_THAT(outcomes, Each(Pair(testing::_, AnyOf(EPERM, EACCES))));
  EXPECT_TRUE(std::filesystem::exists(directory_.file("other")));
}

// Shows that the attempts above do succeed where nothing stops them.
TEST_P(SandboxOf, is_left_out_when_asked_for) {
  const auto outcomes = intrude(std::string(GetParam()) + " --no-sandbox");
  EXPECT_EQ(outcomes.size(), kTried);
  EXPECT_THAT(outcomes, Each(Pair(testing::_, 0)));
  EXPECT_FALSE(std::filesystem::exists(directory_.file("other")));
}

constexpr const char* kCommands[] = {"check a.qcow2",
                                     "check --plan p a.qcow2",
                                     "check --threads 4 a.qcow2 a.qcow2",
                                     "check --policy preboot a.qcow2",
                                     "map a.qcow2",
                                     "map --clusters a.qcow2",
                                     "report a.qcow2 -o r",
                                     "pack a.qcow2 -o k",
                                     "triage --jobs 1 a.qcow2"};
std::string name_of(const testing::TestParamInfo<const char*>& tested) {
  std::string name = tested.param;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(all, SandboxOf, testing::ValuesIn(kCommands), name_of);

TEST_F(Sandbox, is_described_when_asked_for) {
  EXPECT_THAT(cowvet("check -q --verbose a.qcow2").err, HasSubstr("sandbox: "));
  EXPECT_THAT(cowvet("check -q --verbose --no-sandbox a.qcow2").err,
              HasSubstr("sandbox: none, as asked for"));
  EXPECT_EQ(cowvet("check -q a.qcow2").err, "");
}

TEST_F(Sandbox, leaves_no_new_file_behind_that_nothing_was_written_to) {
  shell("echo hello >b");
  EXPECT_EQ(cowvet("pack b -o p").status, 63);
  EXPECT_EQ(cowvet("check --plan p missing").status, 1);
  EXPECT_EQ(cowvet("report missing -o p").status, 1);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("p")));
}

TEST_F(Sandbox, lets_a_data_file_beside_the_image_be_read) {
  shell("qemu-img create -q -f qcow2 -o data_file=d.raw,data_file_raw=on d.qcow2 4M");
  const auto examined = [&](const std::string& words) {
    EXPECT_THAT(cowvet("check " + words).out, HasSubstr(".raw, examined"));
  };
  examined("d.qcow2");
  shell("mkdir s; mv d.raw s; qemu-img create -q -f qcow2 -o data_file=s/e.raw,data_file_raw=on e.qcow2 4M");
  examined("--data-file s/d.raw d.qcow2");
  examined("e.qcow2");
  shell("mkdir other-place; ln -s ../e.qcow2 other-place/link");
  examined("--data-file s/e.raw other-place/link");
}

// What the filter has in place of the process is replaced; else abort() could not end it.
TEST_F(Sandbox, filters_know_their_process) {
  for (const bool landlock : {false, true})
    for (const bool network : {false, true}) {
      const auto filter = seccomp_filter(landlock, network);
      EXPECT_EQ(std::ranges::count(filter, kThisProcess, &sock_filter::k), 1);
    }
}

}  // namespace
}  // namespace cowvet
