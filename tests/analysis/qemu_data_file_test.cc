// Images with data files as QEMU makes and writes them: nothing but the notice about the relative name. Then
// the same with one thing broken.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <tuple>

#include "checker/analysis/analyze.h"
#include "checker/device/file_device.h"
#include "checker/device/follow.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

constexpr std::string_view kSound = "data-file/name-relative";

class QemuImage {
 public:
  explicit QemuImage(const std::string& script) { run(script); }

  void run(const std::string& script) {
    const CommandResult result = run_script(script, directory_.path());
    ASSERT_EQ(result.status, 0) << script << result.out << result.err;
  }

  // The ids of all rules that fired.
  std::string check(bool deep = false) const {
    const std::string path = directory_.file("disk.qcow2");
    const auto image = FileDevice::open(path);
    EXPECT_TRUE(image);
    const OpenCompanion open = make_opener({.image_path = path});
    const Report report = analyze({**image, open, open}, {.deep = deep});
    std::string ids;
    for (const RuleTotal& total : report.totals) {
      if (!ids.empty()) ids += ' ';
      ids += total.rule->id;
    }
    return ids;
  }

  // Writes bytes over a file.
  void patch(const std::string& file, off_t offset, std::string_view bytes) {
    const int fd = open(directory_.file(file).c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(pwrite(fd, bytes.data(), bytes.size(), offset), static_cast<ssize_t>(bytes.size()));
    close(fd);
  }

 private:
  TemporaryDirectory directory_;
};

// data_file_raw, preallocation, size, other options
using Variant = std::tuple<const char*, const char*, const char*, const char*>;

std::string create(const Variant& variant) {
  const auto& [raw, preallocation, size, options] = variant;
  return std::string("qemu-img create -q -f qcow2 -o data_file=disk.raw,data_file_raw=") + raw +
         ",preallocation=" + preallocation + options + " disk.qcow2 " + size + "\n";
}

class QemuDataFile : public testing::TestWithParam<Variant> {};

TEST_P(QemuDataFile, fresh_image_is_sound) {
  EXPECT_EQ(QemuImage(create(GetParam())).check(), kSound);
}

TEST_P(QemuDataFile, image_that_was_written_zeroed_and_discarded_is_sound) {
  const QemuImage image(
      create(GetParam()) +
      "qemu-io -c 'write -P 1 0 300k' -c 'write -P 2 500k 100k' -c 'write -z 64k 64k' "
      "-c 'write -z -u 192k 64k' -c 'discard 128k 64k' -c 'write -z 530k 10k' disk.qcow2 >&2");
  EXPECT_EQ(image.check(), kSound);
}

TEST_P(QemuDataFile, image_whose_last_byte_was_written_is_sound) {
  const QemuImage image(
      create(GetParam()) +
      "size=$(qemu-img info --output=json disk.qcow2 | sed -n 's/.*virtual-size\": \\([0-9]*\\).*/\\1/p')\n"
      "qemu-io -c \"write -P 3 $((size - 512)) 512\" disk.qcow2 >&2");
  EXPECT_EQ(image.check(), kSound);
}

TEST_P(QemuDataFile, resized_image_is_sound) {
  const QemuImage image(create(GetParam()) +
                        "qemu-img resize -q disk.qcow2 3000320\n"
                        "qemu-io -c 'write -P 1 2900k 20k' disk.qcow2 >&2\n"
                        "qemu-img resize -q --shrink disk.qcow2 1500160");
  EXPECT_EQ(image.check(), kSound);
}

INSTANTIATE_TEST_SUITE_P(
    all, QemuDataFile,
    testing::Combine(testing::Values("off", "on"), testing::Values("off", "metadata", "falloc", "full"),
                     testing::Values("1M", "1000000", "1048577"),
                     testing::Values("", ",cluster_size=4k", ",cluster_size=2M", ",extended_l2=on")));

constexpr const char* kRaw =
    "qemu-img create -q -f qcow2 -o data_file=disk.raw,data_file_raw=on disk.qcow2 4M\n"
    "qemu-io -c 'write -P 1 1M 1M' -c 'write -z 2M 1M' disk.qcow2 >&2\n";

TEST(QemuDataFileDamage, byte_under_zero_clusters_of_a_raw_file) {
  QemuImage image(kRaw);
  EXPECT_EQ(image.check(), kSound);
  image.patch("disk.raw", (2 << 20) + 777, "x");
  EXPECT_EQ(image.check(), "data-file/raw-zero-differs data-file/name-relative");
}

TEST(QemuDataFileDamage, raw_file_that_was_cut) {
  QemuImage image(kRaw);
  image.run("truncate -s 3M disk.raw");
  EXPECT_EQ(image.check(), "data-file/short data-file/name-relative");
}

TEST(QemuDataFileDamage, raw_file_that_was_exchanged) {
  QemuImage image(kRaw);
  image.run("head -c 4194304 /dev/urandom > other && mv other disk.raw");
  EXPECT_EQ(image.check(), "data-file/raw-zero-differs data-file/name-relative");
}

TEST(QemuDataFileDamage, data_file_that_is_gone) {
  QemuImage image(kRaw);
  image.run("rm disk.raw");
  EXPECT_EQ(image.check(), "data-file/missing data-file/name-relative");
}

TEST(QemuDataFileDamage, link_to_the_image_as_its_data_file) {
  QemuImage image(kRaw);
  image.run("ln -sf disk.qcow2 disk.raw");
  EXPECT_EQ(image.check(), "data-file/is-image data-file/name-relative");
  image.run("rm disk.raw && ln disk.qcow2 disk.raw");
  EXPECT_EQ(image.check(), "data-file/is-image data-file/name-relative");
}

TEST(QemuDataFileDamage, link_to_another_file_is_not_followed) {
  QemuImage image(kRaw);
  image.run("mv disk.raw real.raw && ln -s real.raw disk.raw");
  EXPECT_EQ(image.check(), "data-file/not-examined data-file/name-relative");
}

class QemuCompressed : public testing::TestWithParam<const char*> {};

TEST_P(QemuCompressed, image_is_sound_until_a_stream_is_damaged) {
  QemuImage image(std::string("head -c 3000000 /bin/sh > source || true\n"
                              "truncate -s 5M source\n"
                              "qemu-img convert -c -O qcow2 -o ") +
                  GetParam() + " source disk.qcow2");
  EXPECT_EQ(image.check(true), "");
  image.run(
      "offset=$(python3 - <<'END'\n"
      "import struct\n"
      "f = open('disk.qcow2', 'rb').read()\n"
      "bits = struct.unpack('>I', f[20:24])[0]\n"
      "l1 = struct.unpack('>Q', f[40:48])[0]\n"
      "l2 = struct.unpack('>Q', f[l1:l1+8])[0] & 0xfffffffffffe00\n"
      "entry = struct.unpack('>Q', f[l2:l2+8])[0]\n"
      "assert entry >> 62 == 1\n"
      "print(entry & ((1 << (62 - (bits - 8))) - 1))\n"
      "END\n"
      ")\n"
      "printf '\\377\\377\\377\\377\\377\\377\\377\\377' | dd of=disk.qcow2 bs=1 seek=$offset conv=notrunc "
      "status=none\n"
      "! qemu-io -c 'read 0 4k' disk.qcow2 >&2");
  EXPECT_EQ(image.check(true), "l2/compressed-undecodable");
  EXPECT_EQ(image.check(false), "");
}

INSTANTIATE_TEST_SUITE_P(all, QemuCompressed,
                         testing::Values("compression_type=zlib", "compression_type=zstd",
                                         "compression_type=zlib,cluster_size=512", "cluster_size=2M",
                                         "compression_type=zstd,cluster_size=4k",
                                         "extended_l2=on,compression_type=zstd"));

}  // namespace
}  // namespace cowvet
