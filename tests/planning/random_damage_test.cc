// Images by real QEMU with random damage to every structure: a plan is either unfit, and says why, or leaves
// exactly what it says; what it leaves, a second plan leaves as well.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>

#include "checker/device/memory_device.h"
#include "checker/format/entries.h"
#include "checker/planning/planner.h"
#include "tests/support/carry_out.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

std::vector<std::byte> make_image(const std::string& options) {
  const TemporaryDirectory directory;
  const CommandResult made = run_script(
      "qemu-img create -q -f qcow2 -o " + options +
          " a.qcow2 8M\n"
          "qemu-io -t unsafe -c 'write -P 1 0 2M' -c 'write -z 3M 256k' a.qcow2 >/dev/null\n"
          "qemu-img snapshot -c one a.qcow2\n"
          "qemu-io -t unsafe -c 'write -P 2 1M 512k' -c 'write -c -P 3 4M 64k' a.qcow2 >/dev/null\n",
      directory.path());
  EXPECT_EQ(made.status, 0) << made.err;
  std::ifstream in(directory.file("a.qcow2"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  return {begin, begin + bytes.size()};
}

// A few changes to numbers in the header, the L1 table, an L2 table, the refcount table or a refcount block.
void damage(std::vector<std::byte>& image, std::mt19937_64& random) {
  const Header header = decode_header(image).value();
  const auto number = [&image](std::uint64_t at) {
    return load_big_endian<std::uint64_t>(image.data() + at);
  };
  const auto times = 1 + random() % 3;
  for (std::uint64_t i = 0; i < times; ++i) {
    std::uint64_t at = 0;
    switch (random() % 5) {
      case 0:
        at = 24 + random() % 10 * 8;
        break;  // size to autoclear_features
      case 1:
        at = header.l1_table_offset + random() % header.l1_size * 8;
        break;
      case 2:
        at = (number(header.l1_table_offset) & kOffsetMask) + random() % 64 * 8;
        break;
      case 3:
        at = header.refcount_table_offset;
        break;
      default:
        at = (number(header.refcount_table_offset) & kOffsetMask) + random() % 64 * 8;
        break;
    }
    if (at + 8 > image.size()) continue;
    const std::uint64_t old = number(at);
    const std::uint64_t changes[] = {0,         ~std::uint64_t{0}, old ^ std::uint64_t{1} << random() % 64,
                                     old + 512, old + 65536,       old ^ kCopied,
                                     random()};
    store_big_endian(image.data() + at, changes[random() % std::size(changes)]);
  }
}

Plan plan_for(const std::vector<std::byte>& image, const PlanOptions& options) {
  const MemoryDevice device(image);
  return make_plan({device, {}, {}}, options).value_or(Plan{});
}

TEST(RandomDamage, plans_are_unfit_or_leave_what_they_say) {
  const std::vector<std::vector<std::byte>> bases{
      make_image("cluster_size=64k"), make_image("cluster_size=4k"),
      make_image("cluster_size=512,refcount_bits=8,compat=1.1"), make_image("cluster_size=4k,compat=0.10")};
  std::mt19937_64 random(20);
  int fit = 0;
  int clean = 0;
  for (int i = 0; i < 150; ++i) {
    SCOPED_TRACE(i);
    std::vector<std::byte> image = bases[random() % bases.size()];
    damage(image, random);
    const PlanOptions options{.allow_metadata = true, .allow_lossy = true, .threads = 1};
    const Plan plan = plan_for(image, options);
    if (!plan.unfit.empty() || plan.image_bytes_after > 256 << 20) continue;
    ++fit;
    carry_out(plan, image);
    const MemoryDevice device(image);
    const Report report = analyze({device, {}, {}}, {.findings_per_rule = 0});
    if (!plan.empty()) {
      ASSERT_EQ(report.totals.size(), plan.remaining.size());
      for (std::size_t r = 0; r < report.totals.size(); ++r) {
        ASSERT_EQ(report.totals[r].rule, plan.remaining[r].rule);
        ASSERT_EQ(report.totals[r].total, plan.remaining[r].total);
      }
    }
    clean += report.worst == Severity::notice;
    ASSERT_TRUE(plan_for(image, options).empty());
  }
  RecordProperty("fit", fit);
  RecordProperty("clean", clean);
  EXPECT_GT(fit, 30);
  EXPECT_GT(clean, 15);
}

}  // namespace
}  // namespace cowvet
