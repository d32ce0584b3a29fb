// The JSON of `cowvet check` against that of the real `qemu-img check`.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/cli_test_base.h"

namespace cowvet {
namespace {

using nlohmann::json;

class CheckJson : public CliTest {
 protected:
  // Every key of QEMU's is ours, with the same value; what QEMU leaves out is zero.
  void expect_same(const std::string& image) const {
    const CommandResult theirs = shell("qemu-img check --output=json " + image);
    const CommandResult ours = cowvet("check --output=json " + image);
    EXPECT_EQ(ours.status, theirs.status) << image;
    const json qemu = json::parse(theirs.out);
    const json document = json::parse(ours.out);
    for (const auto& [key, value] : qemu.items()) {
      ASSERT_TRUE(document.contains(key)) << image << ": " << key;
      EXPECT_EQ(document[key], value) << image << ": " << key;
    }
    for (const char* counter : {"image-end-offset", "corruptions", "leaks", "total-clusters",
                                "allocated-clusters", "fragmented-clusters", "compressed-clusters"}) {
      ASSERT_TRUE(document.contains(counter)) << image << ": " << counter;
      if (!qemu.contains(counter)) {
        EXPECT_EQ(document[counter], 0) << image << ": " << counter;
      }
    }
  }
};

TEST_F(CheckJson, of_sound_images_has_the_numbers_of_qemu) {
  prepare(
      "qemu-img create -q -f qcow2 empty 64M;"
      "qemu-img create -q -f qcow2 -o cluster_size=512,refcount_bits=1 small 1M;"
      "qemu-io -c 'write 0 300k' small;"
      "qemu-img create -q -f qcow2 -o compat=0.10 old 10M; qemu-io -c 'write 1M 1M' old;"
      "qemu-img create -q -f qcow2 -o extended_l2=on extended 10M;"
      "qemu-io -c 'write 4k 8k' -c 'write -z 1M 1M' extended;"
      "qemu-img create -q -f qcow2 -o preallocation=metadata preallocated 10M;"
      "qemu-img create -q -f qcow2 fragmented 10M;"
      "qemu-io -c 'write 5M 64k' -c 'write 1M 64k' -c 'write 64k 64k' -c 'write 0 64k' fragmented;"
      "qemu-img create -q -f qcow2 -b empty -F qcow2 overlay 64M; qemu-io -c 'write 0 64k' overlay;"
      "qemu-img create -q -f qcow2 plain 10M; qemu-io -c 'write -P 3 0 3M' plain;"
      "qemu-img convert -c -O qcow2 plain compressed;"
      "qemu-img convert -c -O qcow2 -o compression_type=zstd plain zstd;"
      "cp plain snapshots; qemu-img snapshot -c one snapshots; qemu-io -c 'write 1M 64k' snapshots;"
      "qemu-img snapshot -c two snapshots;"
      "cp plain bitmap; qemu-img bitmap --add bitmap b0;"
      "qemu-img create -q -f qcow2 -o data_file=data.raw data 10M; qemu-io -c 'write 0 1M' data");
  for (const char* image : {"empty", "small", "old", "extended", "preallocated", "fragmented", "overlay",
                            "plain", "compressed", "zstd", "snapshots", "bitmap", "data"})
    expect_same(image);
}

TEST_F(CheckJson, of_leaks_has_the_numbers_of_qemu) {
  make_leak("a.qcow2");
  expect_same("a.qcow2");
}

TEST_F(CheckJson, of_a_refcount_that_is_too_low_has_the_status_of_qemu) {
  make_image("a.qcow2");
  const std::uint64_t block = peek("a.qcow2", peek("a.qcow2", 48));
  poke("a.qcow2", block + std::uint64_t{2} * 5, std::uint16_t{0});  // the first data cluster
  EXPECT_EQ(shell("qemu-img check a.qcow2").status, 2);
  EXPECT_EQ(cowvet("check a.qcow2").status, 2);
}

}  // namespace
}  // namespace cowvet
