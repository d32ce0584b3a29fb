// cowvet check --plan: writes a plan, and nothing else.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "checker/planning/plan_file.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

class CheckPlan : public testing::Test {
 protected:
  CheckPlan() {
    // The refcount block in cluster 2 is wiped.
    const CommandResult made = run_script(
        "qemu-img create -q -f qcow2 a.qcow2 64M\n"
        "qemu-io -t unsafe -c 'write -P 1 0 1M' a.qcow2 >/dev/null\n"
        "dd if=/dev/zero of=a.qcow2 bs=64k seek=2 count=1 conv=notrunc status=none\n",
        directory_.path());
    EXPECT_EQ(made.status, 0) << made.err;
  }
  CommandResult check(const std::string& options) const {
    return run_script(std::string("'") + COWVET_PROGRAM + "' check -q " + options, directory_.path());
  }

  TemporaryDirectory directory_;
};

TEST_F(CheckPlan, is_written_and_can_be_read_and_leaves_the_image_alone) {
  const std::string before = content(directory_.file("a.qcow2"));
  EXPECT_EQ(check("--plan plan a.qcow2").status, 2);
  std::ifstream in(directory_.file("plan"));
  const auto plan = read_plan(in);
  ASSERT_TRUE(plan.has_value()) << plan.error();
  EXPECT_EQ(plan->unfit, "");
  EXPECT_FALSE(plan->steps.empty());
  EXPECT_TRUE(plan->remaining.empty());
  EXPECT_EQ(content(directory_.file("a.qcow2")), before);
}

TEST_F(CheckPlan, is_the_same_byte_for_byte_for_the_same_image) {
  check("--plan one --threads 1 a.qcow2");
  check("--plan two --threads 4 a.qcow2");
  EXPECT_EQ(content(directory_.file("one")), content(directory_.file("two")));
  EXPECT_FALSE(content(directory_.file("one")).empty());
}

TEST_F(CheckPlan, never_overwrites_a_file_not_even_the_image) {
  const std::string before = content(directory_.file("a.qcow2"));
  const CommandResult result = check("--plan a.qcow2 a.qcow2");
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("must be a new file"), std::string::npos) << result.err;
  EXPECT_EQ(content(directory_.file("a.qcow2")), before);
}

TEST_F(CheckPlan, wrong_options_are_named) {
  EXPECT_NE(check("--plan p --allow all a.qcow2").err.find("'all'"), std::string::npos);
  EXPECT_NE(check("--plan p --choose x/y=z a.qcow2").err.find("'x/y'"), std::string::npos);
  const CommandResult choice = check("--plan p --choose data-file/raw-unmapped=trust a.qcow2");
  EXPECT_EQ(choice.status, 1);
  EXPECT_NE(choice.err.find("clear-raw trust-raw trust-metadata"), std::string::npos) << choice.err;
  EXPECT_NE(check("--plan p --choose l2/copied=set a.qcow2").err.find("l2/copied offers nothing to choose"),
            std::string::npos);
  EXPECT_NE(check("--allow lossy a.qcow2").err.find("--plan"), std::string::npos);
}

}  // namespace
}  // namespace cowvet
