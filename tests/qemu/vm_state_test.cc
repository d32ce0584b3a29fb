// Snapshots with the state of a virtual machine, which lies behind the end of the disk in the same tables.
#include <fmt/format.h>

#include <vector>

#include "tests/qemu/sound_image.h"
#include "tests/support/run_command.h"

namespace cowvet {
namespace {

// `none` has a state of less than a cluster; `isapc` one of 160 KiB.
std::vector<SoundImage> saved_machines() {
  std::vector<SoundImage> images;
  for (const char* options : {"compat=0.10", "cluster_size=512", "cluster_size=4k", "cluster_size=64k",
                              "cluster_size=2M", "extended_l2=on", "refcount_bits=2", "lazy_refcounts=on"})
    for (const char* machine : {"none", "isapc -m 2"}) {
      images.push_back({.name = name_from(fmt::format("{}_{}", machine, options)),
                        .commands = fmt::format(R"sh(
create -o {} disk.qcow2 1026k
io -c "write -P 1 0 1M"
monitor '{}' 'savevm one' 'qemu-io drive0 "write -P 2 512k 300k"' 'savevm two' 'delvm one' \
  'qemu-io drive0 "write -P 3 0 64k"' 'loadvm two' 'qemu-io drive0 "write -P 4 1M 2k"'
qemu-img snapshot -l disk.qcow2 | grep -q two)sh",
                                                options, machine)});
    }
  return images;
}

const std::vector<SoundImage> kOther = {
    {.name = "disk_ends_where_an_l2_table_ends", .commands = R"sh(
create -o cluster_size=4k disk.qcow2 2M
monitor 'isapc -m 2' 'savevm one')sh"},
    {.name = "resized_afterwards", .commands = R"sh(
create -o cluster_size=4k disk.qcow2 1M
monitor 'isapc -m 2' 'savevm one'
qemu-img resize -q -f qcow2 disk.qcow2 9M
io -c "write -P 1 8M 1M"
monitor 'isapc -m 2' 'savevm two')sh"},
    {.name = "with_a_bitmap", .commands = R"sh(
create disk.qcow2 1M
qemu-img bitmap --add disk.qcow2 one
monitor none 'savevm one' 'qemu-io drive0 "write -P 2 512k 300k"')sh"},
    {.name = "streamed_from_its_base", .commands = R"sh(
truncate -s 1M base
create -b base -F raw disk.qcow2
monitor none 'block_stream drive0' 'info block-jobs')sh"},
};

class QemuMachine : public testing::TestWithParam<SoundImage> {
 protected:
  void SetUp() override {
    if (run_script("command -v qemu-system-x86_64").status != 0) GTEST_SKIP() << "no qemu-system-x86_64 here";
  }
};

TEST_P(QemuMachine, image_is_sound) {
  expect_sound(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Saved, QemuMachine, testing::ValuesIn(saved_machines()), name_of);
INSTANTIATE_TEST_SUITE_P(Other, QemuMachine, testing::ValuesIn(kOther), name_of);

}  // namespace
}  // namespace cowvet
