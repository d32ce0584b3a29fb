// Images that were not closed. With lazy refcounts QEMU marks the image dirty and leaves refcounts behind.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/qemu/image_file.h"
#include "tests/qemu/sound_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

class Unclosed : public testing::Test {
 protected:
  void make(const std::string& commands) const {
    const CommandResult made = run_script(with_helpers(commands), directory_.path());
    ASSERT_EQ(made.status, 0) << made.out << made.err;
  }
  ImageFile open() const { return ImageFile(directory_.path() / "disk.qcow2"); }

  CommandResult qemu() const {
    return run_script("qemu-img check --output=json disk.qcow2", directory_.path());
  }
  nlohmann::json cowvet(int status) const {
    const auto result =
        run_script(shell_quote(COWVET_PROGRAM) + " check --output=json disk.qcow2", directory_.path());
    EXPECT_EQ(result.status, status) << result.out << result.err;
    return nlohmann::json::parse(result.out);
  }

 private:
  TemporaryDirectory directory_;
};

std::vector<std::string> rules_of(const nlohmann::json& report) {
  std::vector<std::string> rules;
  for (const auto& rule : report.at("rules")) rules.push_back(rule.at("rule"));
  return rules;
}

using Rules = std::vector<std::string>;

// QEMU repairs such an image when it opens it for writing; `qemu-img check` calls it corrupt, and so do we:
// it may not be used as it is by anything that trusts refcounts.
TEST_F(Unclosed, image_with_refcounts_left_behind_is_dirty_and_its_refcounts_too_low) {
  make(R"sh(create -o lazy_refcounts=on disk.qcow2 1M
qemu-io -c "write -P 1 0 512k" -c "sigraise 9" disk.qcow2 >/dev/null || true)sh");
  ASSERT_TRUE(open().header().is_dirty());
  EXPECT_EQ(qemu().status, 2);
  const auto report = cowvet(2);
  EXPECT_EQ(rules_of(report), (Rules{"header/dirty", "l2/copied", "refcount/too-low"}));
  EXPECT_EQ(report.at("allocated-clusters"), 8);
  EXPECT_EQ(report.at("leaks"), 0);
}

TEST_F(Unclosed, image_with_right_refcounts_is_only_noticed) {
  make("create -o lazy_refcounts=on disk.qcow2 1M\nio -c 'write -P 1 0 512k'");
  ImageFile image = open();
  ASSERT_EQ(image.read_u64(72), 0u);
  image.write_u64(72, kIncompatibleDirty);
  EXPECT_EQ(qemu().status, 0);
  EXPECT_EQ(rules_of(cowvet(0)), Rules{"header/dirty"});
}

TEST_F(Unclosed, image_without_lazy_refcounts_is_left_sound) {
  make(R"sh(create disk.qcow2 1M
qemu-io -c "write -P 1 0 512k" -c flush -c "sigraise 9" disk.qcow2 >/dev/null || true)sh");
  EXPECT_EQ(qemu().status, 0);
  EXPECT_EQ(rules_of(cowvet(0)), Rules{});
}

// Refcounts are written before the entries that they count: a crash between the two leaks.
TEST_F(Unclosed, image_never_flushed_leaks_at_worst) {
  make(R"sh(create disk.qcow2 1M
qemu-io -c "write -P 1 0 512k" -c "sigraise 9" disk.qcow2 >/dev/null || true)sh");
  const int status = qemu().status;
  ASSERT_TRUE(status == 0 || status == 3) << status;
  cowvet(status);
}

// A bitmap is marked in use from the first write on until it is saved again.
TEST_F(Unclosed, bitmap_is_noticed_as_in_use) {
  make(R"sh(create disk.qcow2 1M
qemu-img bitmap --add disk.qcow2 one
qemu-io -c "write -P 1 0 512k" -c flush -c "sigraise 9" disk.qcow2 >/dev/null || true)sh");
  EXPECT_EQ(qemu().status, 0);
  EXPECT_EQ(rules_of(cowvet(0)), Rules{"bitmap/in-use"});
}

TEST_F(Unclosed, image_marked_corrupt_is_corrupt_whatever_else_it_is) {
  make("create disk.qcow2 1M");
  open().write_u64(72, kIncompatibleCorrupt);
  EXPECT_EQ(rules_of(cowvet(2)), Rules{"header/corrupt"});
}

}  // namespace
}  // namespace cowvet
