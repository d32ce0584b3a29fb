// Header fields that make everything look like noise, and first cluster that is gone as a whole.
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

// Nothing of the first cluster is left.
std::string without_header(const std::string& words) {
  return disk(words) + "  fill at=header with=0x5a\n";
}

TEST(HeaderRebuild, all_tables_are_found_and_the_disk_is_as_long_as_the_snapshot_says) {
  for (const char* words :
       {"cluster=64K", "cluster=4K", "cluster=512", "cluster=2M", "cluster=64K extended-l2",
        "cluster=4K refcount-bits=1", "cluster=4K refcount-bits=64", "cluster=4K version=2"}) {
    SCOPED_TRACE(words);
    if (std::string(words).ends_with("bits=1")) continue;  // a snapshot needs larger refcounts
    const PlannedRepair repair(without_header(words), {.choices = {{"header/magic", "rebuild"}}});
    EXPECT_EQ(repair.header().size, 8u << 20);
    EXPECT_TRUE(repair.has_step(Remedy::choice));
    expect_all_as_it_was(repair);
  }
}

TEST(HeaderRebuild, without_a_snapshot_the_disk_is_as_long_as_its_l1_table_maps_or_as_the_user_says) {
  const std::string text = R"(
  image size=7M cluster=4K
  write 0+64K with=0x11
  write 5M+64K with=0x22
  fill at=header
)";
  const PlannedRepair deduced(text, {.choices = {{"header/magic", "rebuild"}}});
  EXPECT_EQ(deduced.header().size, 6u << 20);
  EXPECT_EQ(deduced.fired(), "");
  const PlannedRepair told(text, {.choices = {{"header/magic", "rebuild:7340032"}}});
  EXPECT_EQ(told.header().size, 7u << 20);
  expect_all_as_it_was(
      PlannedRepair(without_header("cluster=4K"), {.choices = {{"header/magic", "rebuild"}}}));
  EXPECT_EQ(told.fired(), "");
  told.expect_content();
}

TEST(HeaderRebuild, compressed_clusters_say_how_they_were_compressed) {
  for (const char* type : {"deflate", "zstd"}) {
    SCOPED_TRACE(type);
    const PlannedRepair repair("  image size=2M cluster=4K compression=" + std::string(type) +
                                   "\n  compress 0+256K\n  fill at=header\n",
                               {.choices = {{"header/magic", "rebuild"}}});
    EXPECT_EQ(repair.fired(), "");
    repair.expect_content();
  }
}

TEST(HeaderRebuild, nothing_is_rebuilt_without_consent) {
  const PlannedRepair sound(without_header("cluster=4K"), {.choices = {{"header/magic", "rebuild"}}});
  const MemoryDevice device(sound.built.image);
  const auto plan = make_plan({device, {}, {}}, {.allow_metadata = true, .allow_lossy = true});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().find("--donor"), std::string::npos) << plan.error();
}

TEST(HeaderRebuild, a_donor_knows_size_names_and_features) {
  const std::string words = "  image size=7M cluster=4K\n  backing base.raw format=raw size=7M with=0x77\n";
  const PlannedRepair donor(words + "  write 1M+64K with=0x99\n", {});
  const std::vector<std::byte> first(donor.image.begin(), donor.image.begin() + 4096);
  const PlannedRepair repair(words + "  write 0+64K with=0x11\n  write 3M+64K with=0x22\n  fill at=header\n",
                             {.donor = first});
  EXPECT_EQ(repair.header().size, 7u << 20);
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
  repair.expect_content();  // the backing file shows through
}

TEST(HeaderRebuild, other_damage_is_repaired_behind_it) {
  const PlannedRepair repair(disk("cluster=4K") + "  set l2 guest=0 reserved=0x10\n  fill at=header\n",
                             {.choices = {{"header/magic", "rebuild"}}});
  expect_all_as_it_was(repair);
}

}  // namespace
}  // namespace cowvet
