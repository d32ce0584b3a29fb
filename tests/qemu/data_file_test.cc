// Images whose guest data lies in an external data file.
#include <fmt/format.h>

#include <vector>

#include "tests/qemu/sound_image.h"

namespace cowvet {
namespace {

constexpr const char* kNameIsRelative = "data-file/name-relative";

struct Life {
  const char* name;
  const char* commands;
};

constexpr Life kLives[] = {
    {"empty", ""},
    {"written", R"sh(
io -c "write -P 1 0 200k" -c "write -P 2 5000k 513k" -c "write -P 3 9215k 2k")sh"},
    {"zeroed", R"sh(
io -c "write -P 1 0 4M" -c "write -z 1M 512k" -c "write -zu 2M 512k" -c "discard 3M 512k" -c "write -z 6M 1M" \
   -c "write -P 2 1200k 100k")sh"},
    {"bitmaps", R"sh(
qemu-img bitmap --add disk.qcow2 one
io -c "write -P 1 0 200k" -c "write -P 2 5000k 513k"
qemu-img bitmap --add --disable disk.qcow2 two)sh"},
    {"resized", R"sh(
io -c "write -P 1 0 200k" -c "write -P 2 8M 1M"
qemu-img resize -q -f qcow2 disk.qcow2 20M
io -c "write -P 3 19M 1M"
qemu-img resize -q -f qcow2 --shrink disk.qcow2 8200k)sh"},
};

std::vector<SoundImage> matrix() {
  std::vector<SoundImage> images;
  for (const char* raw : {"on", "off"})
    for (const char* layout : {"cluster_size=512", "cluster_size=4k", "cluster_size=64k", "cluster_size=2M",
                               "extended_l2=on", "refcount_bits=64"})
      for (const Life& life : kLives) {
        images.push_back(
            {.name = name_from(fmt::format("raw_{}_{}_{}", raw, layout, life.name)),
             .commands =
                 fmt::format("create -o data_file=data,data_file_raw={},{} disk.qcow2 9217k", raw, layout) +
                 life.commands,
             .notices = {kNameIsRelative}});
      }
  return images;
}

std::vector<SoundImage> preallocated() {
  std::vector<SoundImage> images;
  for (const char* raw : {"on", "off"})
    for (const char* mode : {"off", "metadata", "falloc", "full"})
      for (const char* extended : {"on", "off"})
        images.push_back(
            {.name = fmt::format("raw_{}_{}_extended_l2_{}", raw, mode, extended),
             .commands = fmt::format(
                 "create -o data_file=data,data_file_raw={},preallocation={},extended_l2={} disk.qcow2 9217k",
                 raw, mode, extended),
             .notices = {kNameIsRelative}});
  return images;
}

const std::vector<SoundImage> kOther = {
    {.name = "made_from_a_raw_disk",
     .commands = R"sh(
seq 1 300000 >raw; truncate -s 5M raw
qemu-img convert -f raw -O qcow2 -o data_file=data,data_file_raw=on raw disk.qcow2
cmp raw data)sh",
     .notices = {kNameIsRelative}},
    {.name = "with_a_backing_file",
     .commands = R"sh(
truncate -s 5M base
create -b base -F raw -o data_file=data disk.qcow2
io -c "write -P 1 0 200k" -c "write -P 2 1M 512" -c "write -z 2M 1M")sh",
     .notices = {kNameIsRelative}},
    {.name = "raw_promise_given_up",
     .commands = R"sh(
create -o data_file=data,data_file_raw=on disk.qcow2 5M
io -c "write -P 1 0 1M"
qemu-img amend -o data_file_raw=off disk.qcow2
io -c "write -zu 0 512k" -c "discard 1M 1M")sh",
     .notices = {kNameIsRelative}},
    {.name = "named_by_the_user",
     .commands = R"sh(
create -o data_file=data disk.qcow2 5M
io -c "write -P 1 0 1M"
mkdir elsewhere; mv data elsewhere/)sh",
     .notices = {kNameIsRelative},
     .qemu_arguments = "--image-opts driver=qcow2,file.filename=disk.qcow2,data-file.filename=elsewhere/data",
     .cowvet_arguments = "--data-file=elsewhere/data disk.qcow2"},
    {.name = "absolute_name_given_by_the_user",
     .commands = R"sh(
create -o data_file="$PWD/data" disk.qcow2 5M
io -c "write -P 1 0 1M")sh",
     .notices = {"data-file/name-unsafe"},
     .cowvet_arguments = "--data-file=data disk.qcow2"},
};

class QemuDataFile : public testing::TestWithParam<SoundImage> {};

TEST_P(QemuDataFile, image_is_sound) {
  expect_sound(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Layouts, QemuDataFile, testing::ValuesIn(matrix()), name_of);
INSTANTIATE_TEST_SUITE_P(Preallocated, QemuDataFile, testing::ValuesIn(preallocated()), name_of);
INSTANTIATE_TEST_SUITE_P(Other, QemuDataFile, testing::ValuesIn(kOther), name_of);

}  // namespace
}  // namespace cowvet
