// Images on block devices: the device is larger than the image, and cannot end inside a cluster.
#include "tests/qemu/sound_image.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

class BlockDevice : public testing::Test {
 protected:
  void SetUp() override {
    const CommandResult attached =
        run_script("truncate -s 12M device && losetup --find --show device", directory_.path());
    if (attached.status != 0) GTEST_SKIP() << "no loop device may be used here: " << attached.err;
    device_ = attached.out.substr(0, attached.out.find('\n'));
  }
  void TearDown() override {
    if (!device_.empty()) run_script("losetup -d " + device_);
  }
  void expect_sound_image_made_by(const std::string& commands) const {
    expect_sound({.name = "",
                  .commands = "ln -s " + device_ + " disk.qcow2\n" + commands,
                  .qemu_arguments = "-f qcow2 " + device_,
                  .cowvet_arguments = device_});
  }

 private:
  TemporaryDirectory directory_;
  std::string device_;
};

TEST_F(BlockDevice, with_an_empty_image_is_sound) {
  expect_sound_image_made_by("create disk.qcow2 5M");
}

TEST_F(BlockDevice, with_a_written_image_is_sound) {
  expect_sound_image_made_by(R"sh(
create -o cluster_size=4k disk.qcow2 5M
io -c "write -P 1 0 1M" -c "write -z 512k 64k" -c "write -P 2 4999k 1k"
qemu-img snapshot -c one disk.qcow2
io -c "write -P 3 0 64k")sh");
}

TEST_F(BlockDevice, with_rubbish_behind_the_image_is_sound) {
  expect_sound_image_made_by(R"sh(
seq 1 2000000 | head -c 12582912 >disk.qcow2
create disk.qcow2 5M
io -c "write -P 1 0 1M")sh");
}

TEST_F(BlockDevice, with_a_compressed_image_is_sound) {
  expect_sound_image_made_by(R"sh(
seq 1 300000 >raw; truncate -s 5M raw
create disk.qcow2 5M
qemu-img convert -n -c -f raw -O qcow2 raw disk.qcow2)sh");
}

}  // namespace
}  // namespace cowvet
