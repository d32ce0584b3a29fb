// Encrypted images. Metadata is never encrypted: cowvet needs no key.
#include <vector>

#include "tests/qemu/sound_image.h"

namespace cowvet {
namespace {

const std::vector<SoundImage> kImages = {
    {.name = "luks_never_written_to",
     .commands = "luks_create cluster_size=64k 3M",
     .qemu_arguments = kLuksArguments},
    {.name = "luks_cluster_512",
     .commands = R"sh(
luks_create cluster_size=512 3M
luks_io -c "write -P 1 0 100k" -c "write -z 1M 64k" -c "discard 0 4k")sh",
     .qemu_arguments = kLuksArguments},
    {.name = "luks_cluster_2M",
     .commands = R"sh(
luks_create cluster_size=2M 30M
luks_io -c "write -P 1 0 100k" -c "write -P 2 20M 3M")sh",
     .qemu_arguments = kLuksArguments},
    {.name = "luks_extended_l2_with_snapshot",
     .commands = R"sh(
luks_create extended_l2=on 3M
luks_io -c "write -P 1 0 100k"
qemu-img snapshot --object secret,id=key,data=abc -c one \
  --image-opts driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=key
luks_io -c "write -P 2 0 100k")sh",
     .qemu_arguments = kLuksArguments},
    {.name = "luks_preallocated",
     .commands = "luks_create preallocation=metadata 3M",
     .qemu_arguments = kLuksArguments},
    {.name = "luks_data_file",
     .commands = R"sh(
luks_create data_file=data 3M
luks_io -c "write -P 1 0 100k")sh",
     .notices = {"data-file/name-relative"},
     .qemu_arguments = kLuksArguments},
    {.name = "aes",
     .commands = R"sh(
create --object secret,id=key,data=0123456789abcdef -o encrypt.format=aes,encrypt.key-secret=key disk.qcow2 3M
qemu-io --object secret,id=key,data=0123456789abcdef -c "write -P 1 0 100k" \
  --image-opts driver=qcow2,file.filename=disk.qcow2,encrypt.key-secret=key >io.log)sh",
     .qemu_arguments = kLuksArguments},
};

class QemuEncrypted : public testing::TestWithParam<SoundImage> {};

TEST_P(QemuEncrypted, image_is_sound) {
  expect_sound(GetParam());
}

INSTANTIATE_TEST_SUITE_P(, QemuEncrypted, testing::ValuesIn(kImages), name_of);

}  // namespace
}  // namespace cowvet
