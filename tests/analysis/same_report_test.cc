// The same findings and counters whatever the number of threads and the memory cap. The image has snapshots,
// compressed clusters and every kind of damage to its tables; with 512-byte clusters it fills many chunks of
// the reference sets.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "checker/analysis/analyze.h"
#include "checker/device/memory_device.h"
#include "checker/format/endian.h"
#include "checker/format/entries.h"
#include "checker/format/header.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

std::vector<std::byte> make_image() {
  const TemporaryDirectory directory;
  const CommandResult made = run_script(
      "qemu-img create -q -f qcow2 -o cluster_size=512 a.qcow2 48M\n"
      "qemu-io -t unsafe -c 'write -P 1 0 24M' a.qcow2 >/dev/null\n"
      "qemu-img snapshot -c one a.qcow2\n"
      "qemu-io -t unsafe -c 'write -P 2 3M 6M' -c 'write -c -P 3 40M 1M' a.qcow2 >/dev/null\n"
      "qemu-img snapshot -c two a.qcow2\n"
      "qemu-io -t unsafe -c 'write -P 4 8M 2M' -c 'write -P 5 30M 4M' a.qcow2 >/dev/null\n",
      directory.path());
  EXPECT_EQ(made.status, 0) << made.err;
  std::ifstream in(directory.file("a.qcow2"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  return {begin, begin + bytes.size()};
}

// Flips bits and swaps entries in a few hundred places of the active L2 tables and the refcount blocks.
void damage(std::vector<std::byte>& image, unsigned seed) {
  const Header header = decode_header(image).value();
  std::mt19937_64 random(seed);
  const auto entry = [&image](std::uint64_t at) { return load_big_endian<std::uint64_t>(image.data() + at); };
  const auto table_at = [&](std::uint64_t table, std::uint64_t size) {
    return entry(table + random() % size * 8) & kOffsetMask;
  };
  for (int i = 0; i < 300; ++i) {
    std::uint64_t target = i % 3 == 0
                               ? table_at(header.refcount_table_offset, header.refcount_table_clusters * 64)
                               : table_at(header.l1_table_offset, header.l1_size);
    if (target == 0) continue;
    target += random() % 64 * 8;
    switch (random() % 4) {
      case 0:
        store_big_endian(image.data() + target, entry(target) ^ std::uint64_t{1} << random() % 64);
        break;
      case 1:
        store_big_endian(image.data() + target, entry(target) ^ kCopied);
        break;
      case 2:
        store_big_endian(image.data() + target, entry(target) + 512);
        break;
      default:
        store_big_endian(image.data() + target, std::uint64_t{0});
        break;
    }
  }
}

Report report_of(const MemoryDevice& device, unsigned threads, std::uint64_t max_memory,
                 std::uint64_t limit) {
  const Inputs inputs{device, {}, {}};
  return analyze(inputs, {.threads = threads, .max_memory_bytes = max_memory, .findings_per_rule = limit});
}

void expect_same(const Report& a, const Report& b) {
  EXPECT_EQ(a.findings.size(), b.findings.size());
  EXPECT_TRUE(a.findings == b.findings);
  EXPECT_EQ(a.counters.corruptions, b.counters.corruptions);
  EXPECT_EQ(a.counters.leaks, b.counters.leaks);
  EXPECT_EQ(a.counters.image_end_offset, b.counters.image_end_offset);
  EXPECT_EQ(a.counters.allocated_clusters, b.counters.allocated_clusters);
  EXPECT_EQ(a.counters.fragmented_clusters, b.counters.fragmented_clusters);
  ASSERT_EQ(a.totals.size(), b.totals.size());
  for (std::size_t i = 0; i < a.totals.size(); ++i) {
    EXPECT_EQ(a.totals[i].rule, b.totals[i].rule);
    EXPECT_EQ(a.totals[i].findings, b.totals[i].findings) << a.totals[i].rule->id;
    EXPECT_EQ(a.totals[i].total, b.totals[i].total) << a.totals[i].rule->id;
  }
}

TEST(SameReport, whatever_the_threads_and_the_memory_cap) {
  const std::vector<std::byte> sound = make_image();
  EXPECT_EQ(report_of(MemoryDevice(sound), 1, 0, 0).worst, Severity::notice);
  for (unsigned seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    std::vector<std::byte> image = sound;
    damage(image, seed);
    const MemoryDevice device(std::move(image));
    for (const std::uint64_t limit : {0, 3}) {
      const Report reference = report_of(device, 1, 0, limit);
      EXPECT_EQ(reference.worst, Severity::corruption);
      expect_same(reference, report_of(device, 4, 0, limit));
      expect_same(reference, report_of(device, 1, 20'000, limit));
      expect_same(reference, report_of(device, 3, 50'000, limit));
    }
  }
}

}  // namespace
}  // namespace cowvet
