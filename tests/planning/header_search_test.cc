// Header fields that make everything look like noise.
#include <gtest/gtest.h>

#include <algorithm>

#include "checker/device/memory_device.h"
#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

std::string disk(const std::string& words) {
  return "  image size=8M " + words + R"(
  write 0+256K with=0x11
  snapshot 1
  write 64K+64K with=0x22
  write 6M+64K with=0x33
)";
}

void expect_all_as_it_was(const PlannedRepair& repair) {
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
  repair.expect_content();
  repair.expect_content("1");
}

TEST(HeaderSearch, a_wrong_cluster_size_is_put_right) {
  for (const char* words : {"cluster=64K", "cluster=4K", "cluster=512", "cluster=64K extended-l2"})
    for (const char* bits : {"0", "8", "9", "12", "14", "16", "17", "21", "22", "31", "0xffffffff"}) {
      SCOPED_TRACE(std::string(words) + ", bits " + bits);
      const PlannedRepair sound(disk(words), {});
      const PlannedRepair repair(disk(words) + "  set header cluster_bits=" + bits + "\n", {});
      EXPECT_EQ(repair.header().cluster_bits, sound.header().cluster_bits);
      EXPECT_TRUE(repair.image == sound.image);
      EXPECT_EQ(repair.fired(), "");
    }
}

TEST(HeaderSearch, a_wrong_refcount_order_is_put_right_where_nothing_else_is_wrong) {
  for (const char* order : {"0", "1", "2", "3", "5", "6"}) {
    SCOPED_TRACE(order);
    const PlannedRepair repair(disk("cluster=4K") + "  set header refcount_order=" + order + "\n", {});
    EXPECT_EQ(repair.header().refcount_order, 4u);
    EXPECT_EQ(repair.plan.steps.size(), 1u);
    expect_all_as_it_was(repair);
  }
}

TEST(HeaderSearch, a_lost_magic_number_is_written_again) {
  const PlannedRepair repair(disk("cluster=4K") + "  set header magic=0\n", {});
  EXPECT_EQ(repair.plan.steps.size(), 1u);
  expect_all_as_it_was(repair);
}

TEST(HeaderSearch, a_file_that_is_no_image_is_left_alone) {
  const std::vector<std::byte> noise(1 << 20, std::byte{0x5a});
  const MemoryDevice device(noise);
  EXPECT_FALSE(make_plan({device, {}, {}}, {}));
  EXPECT_FALSE(make_plan({device, {}, {}}, {.choices = {{"header/magic", "rebuild"}}}));
}

TEST(HeaderSearch, another_version_is_only_said_where_the_user_does) {
  const std::string text = disk("cluster=4K") + "  set header version=4\n";
  const PlannedRepair chosen(text, {.choices = {{"header/version", "3"}}});
  expect_all_as_it_was(chosen);
  const MemoryDevice device(chosen.built.image);
  const auto plan = make_plan({device, {}, {}}, {});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().find("=3 (0 errors"), std::string::npos) << plan.error();
}

}  // namespace
}  // namespace cowvet
