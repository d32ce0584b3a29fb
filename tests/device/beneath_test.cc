#include "checker/device/beneath.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

namespace fs = std::filesystem;

int not_in_this_kernel(int /*root*/, const char* /*path*/) {
  errno = ENOSYS;
  return -1;
}
int forbidden_here(int /*root*/, const char* /*path*/) {
  errno = EPERM;
  return -1;
}
int attempts = 0;
int works_when_asked_again(int root, const char* path) {
  errno = EAGAIN;
  return ++attempts < 3 ? -1 : open_beneath(root, path);
}
int never_sure(int /*root*/, const char* /*path*/) {
  errno = EAGAIN;
  return -1;
}

// TOP/root/a/b, TOP/beside, TOP/root/link -> ../beside, TOP/root/a/up -> ..
class Beneath : public testing::TestWithParam<OpenBeneath> {
 protected:
  Beneath() {
    fs::create_directories(top() / "root/a/b");
    fs::create_directory(top() / "beside");
    fs::create_directory_symlink("../beside", top() / "root/link");
    fs::create_directory_symlink("..", top() / "root/a/up");
    root_ = Descriptor(open((top() / "root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }
  fs::path top() const { return directory_.path(); }

  // Where `components` lead, from `top`; or "errno N".
  std::string lead_to(const std::vector<std::string>& components) const {
    const Descriptor opened = open_directory_beneath(root_.get(), components, GetParam());
    if (!opened) return "errno " + std::to_string(errno);
    return fs::relative(fs::read_symlink("/proc/self/fd/" + std::to_string(opened.get())), top());
  }

  TemporaryDirectory directory_;
  Descriptor root_;
};

const std::string kWayOut = "errno " + std::to_string(EXDEV);

TEST_P(Beneath, opens_what_lies_below) {
  EXPECT_EQ(lead_to({}), "root");
  EXPECT_EQ(lead_to({"a", "b"}), "root/a/b");
  EXPECT_EQ(lead_to({"a", "..", "a", ".", "b"}), "root/a/b");
  EXPECT_EQ(lead_to({"gone"}), "errno " + std::to_string(ENOENT));
}

TEST_P(Beneath, never_leaves_the_directory) {
  EXPECT_EQ(lead_to({".."}), kWayOut);
  EXPECT_EQ(lead_to({"..", "root"}), kWayOut);
  EXPECT_EQ(lead_to({"a", "..", "..", "beside"}), kWayOut);
}

TEST_P(Beneath, follows_no_symbolic_link) {
  const auto refused = testing::AnyOf("errno " + std::to_string(ELOOP), "errno " + std::to_string(ENOTDIR));
  EXPECT_THAT(lead_to({"link"}), refused);
  EXPECT_THAT(lead_to({"a", "up", "a"}), refused);
}

INSTANTIATE_TEST_SUITE_P(ByKernel, Beneath, testing::Values(open_beneath));
INSTANTIATE_TEST_SUITE_P(Walking, Beneath, testing::Values(not_in_this_kernel, forbidden_here));

TEST(BeneathAgain, asks_the_kernel_again_while_something_is_renamed) {
  const TemporaryDirectory directory;
  const Descriptor root(open(directory.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  attempts = 0;
  EXPECT_TRUE(open_directory_beneath(root.get(), {}, works_when_asked_again));
  EXPECT_EQ(attempts, 3);
  EXPECT_FALSE(open_directory_beneath(root.get(), {}, never_sure));
  EXPECT_EQ(errno, EAGAIN);
}

}  // namespace
}  // namespace cowvet
