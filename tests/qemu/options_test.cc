// Every creation option that changes the layout, crossed with what can happen to an image in its life.
#include <fmt/format.h>

#include <vector>

#include "tests/qemu/sound_image.h"

namespace cowvet {
namespace {

// C is the cluster size in bytes, W the window of one L2 table; the disk is three windows, not a whole number
// of clusters.
struct Life {
  const char* name;
  const char* commands;
};

constexpr Life kEmpty{"empty", ""};

constexpr Life kWritten{"written", R"sh(
io -c "write -P 1 0 $C" -c "write -P 2 $((5 * C + 512)) 1024" -c "write -P 3 $((W - C)) $((2 * C))"
io -c "write -P 4 $((2 * W + C - 512)) 1024" -c "write -P 5 $((V - 512)) 512" -c "write -P 6 512 512"
)sh"};

constexpr Life kZeroed{"zeroed", R"sh(
io -c "write -P 1 0 $((20 * C))" -c "write -z $C $((2 * C))" -c "write -zu $((5 * C)) $((3 * C))" \
   -c "discard $((10 * C)) $((2 * C))" -c "write -z $((14 * C + 512)) 512" -c "write -zu $((W + C)) $((4 * C))" \
   -c "write -P 2 $((6 * C)) 512" -c "write -z $((2 * W)) $((V - 2 * W))" -c "write -P 3 $((V - 512)) 512"
)sh"};

constexpr Life kCompressed{"compressed", R"sh(
io -c "write -c -s pattern 0 $C" -c "write -c -s pattern $C $C" -c "write -c -P 7 $((2 * C)) $C" \
   -c "write -c -s pattern $((W - C)) $C" -c "write -c -s pattern $W $C" -c "write -c -P 8 $((3 * C)) $C" \
   -c "write -c -s pattern $((4 * C)) $C" -c "write -c -s pattern $((5 * C)) $C"
io -c "write -P 9 $((C + 512)) 512" -c "discard $((4 * C)) $C" -c "write -c -s pattern $((6 * C)) $C"
)sh"};

constexpr Life kSnapshots{"snapshots", R"sh(
io -c "write -P 1 0 $((4 * C))" -c "write -P 2 $W $C" -c "write -c -s pattern $((8 * C)) $C"
qemu-img snapshot -c first disk.qcow2
io -c "write -P 3 $C $C" -c "write -P 4 $((2 * W)) $C" -c "write -z $((2 * C)) $C"
qemu-img snapshot -c second disk.qcow2
qemu-img snapshot -d first disk.qcow2
io -c "write -P 5 $((3 * C)) $C" -c "discard 0 $C"
qemu-img snapshot -a second disk.qcow2
io -c "write -P 6 $C 512"
)sh"};

constexpr Life kBitmaps{"bitmaps", R"sh(
qemu-img bitmap --add disk.qcow2 one
qemu-img bitmap --add --disable -g $((C * 2 > 1048576 ? 65536 : C * 2)) disk.qcow2 two
io -c "write -P 1 0 $((4 * C))" -c "write -P 2 $W $C"
qemu-img bitmap --add disk.qcow2 three
io -c "write -P 3 $((2 * W)) $C"
qemu-img bitmap --merge one disk.qcow2 two
qemu-img bitmap --clear disk.qcow2 one
qemu-img bitmap --remove disk.qcow2 three
qemu-img bitmap --disable disk.qcow2 one
)sh"};

constexpr Life kResized{"resized", R"sh(
io -c "write -P 1 0 $((2 * C))" -c "write -P 2 $((2 * W)) $C"
qemu-img resize -q -f qcow2 disk.qcow2 $((5 * W + 512))
io -c "write -P 3 $((5 * W)) 512" -c "write -P 4 $((4 * W)) $C"
qemu-img resize -q -f qcow2 --shrink disk.qcow2 $((W + 3 * C))
io -c "write -P 5 $((W + 2 * C)) $C"
)sh"};

struct Options {
  std::string name;
  std::string text;
  unsigned cluster_bytes;
  std::vector<Life> lives;
};

std::vector<Options> version_2() {
  std::vector<Options> all;
  for (const unsigned cluster : {512, 4096, 65536, 2097152})
    all.push_back({fmt::format("v2_cluster_{}", cluster),
                   "compat=0.10",
                   cluster,
                   {kEmpty, kWritten, kZeroed, kCompressed, kSnapshots, kResized}});
  return all;
}

std::vector<Options> refcount_widths() {
  std::vector<Options> all;
  for (const unsigned cluster : {512, 4096, 65536, 2097152})
    for (const unsigned bits : {1, 2, 4, 8, 16, 32, 64}) {
      std::vector<Life> lives{kEmpty, kWritten, kZeroed, kBitmaps, kResized};
      // A width of 1 bit can share nothing: neither snapshots nor the sectors of compressed
      // clusters.
      if (bits > 1) lives.insert(lives.end(), {kCompressed, kSnapshots});
      all.push_back({fmt::format("v3_cluster_{}_refcount_{}", cluster, bits),
                     fmt::format("refcount_bits={}", bits), cluster, lives});
    }
  return all;
}

std::vector<Options> features() {
  std::vector<Options> all;
  const std::vector<Life> every{kEmpty, kWritten, kZeroed, kCompressed, kSnapshots, kBitmaps, kResized};
  for (const unsigned cluster : {16384, 65536, 2097152})
    for (const unsigned bits : {2, 16, 64})
      all.push_back({fmt::format("extended_l2_cluster_{}_refcount_{}", cluster, bits),
                     fmt::format("extended_l2=on,refcount_bits={}", bits), cluster, every});
  for (const unsigned cluster : {512, 4096, 65536, 2097152}) {
    all.push_back({fmt::format("zstd_cluster_{}", cluster), "compression_type=zstd", cluster, every});
    all.push_back({fmt::format("lazy_refcounts_cluster_{}", cluster), "lazy_refcounts=on", cluster, every});
  }
  all.push_back({"zstd_extended_l2", "compression_type=zstd,extended_l2=on", 65536, every});
  return all;
}

std::vector<SoundImage> images(const std::vector<Options>& all) {
  std::vector<SoundImage> images;
  for (const Options& options : all)
    for (const Life& life : options.lives) {
      const bool extended = options.text.find("extended_l2") != std::string::npos;
      const std::string sizes = fmt::format("C={}\nW=$((C * C / {}))\nV=$((2 * W + 37 * C + 1536))\n",
                                            options.cluster_bytes, extended ? 16 : 8);
      images.push_back({.name = options.name + "_" + life.name,
                        .commands = sizes +
                                    fmt::format("create -o cluster_size={},{} disk.qcow2 $V",
                                                options.cluster_bytes, options.text) +
                                    life.commands});
    }
  return images;
}

class Qemu : public testing::TestWithParam<SoundImage> {};

TEST_P(Qemu, image_is_sound) {
  expect_sound(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Version2, Qemu, testing::ValuesIn(images(version_2())), name_of);
INSTANTIATE_TEST_SUITE_P(RefcountWidths, Qemu, testing::ValuesIn(images(refcount_widths())), name_of);
INSTANTIATE_TEST_SUITE_P(Features, Qemu, testing::ValuesIn(images(features())), name_of);

}  // namespace
}  // namespace cowvet
