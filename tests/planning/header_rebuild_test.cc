// A first cluster that is gone as a whole.
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

const PlanOptions kRebuilt{.choices = {{"header/magic", "rebuild"}}};

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
    const PlannedRepair repair(without_header(words), kRebuilt);
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
  const PlannedRepair deduced(text, kRebuilt);
  EXPECT_EQ(deduced.header().size, 6u << 20);
  EXPECT_EQ(deduced.fired(), "");
  const PlannedRepair told(text, {.choices = {{"header/magic", "rebuild:7340032"}}});
  EXPECT_EQ(told.header().size, 7u << 20);
  expect_all_as_it_was(PlannedRepair(without_header("cluster=4K"), kRebuilt));
  EXPECT_EQ(told.fired(), "");
  told.expect_content();
}

TEST(HeaderRebuild, compressed_clusters_say_how_they_were_compressed) {
  for (const char* type : {"deflate", "zstd"}) {
    SCOPED_TRACE(type);
    const PlannedRepair repair("  image size=2M cluster=4K compression=" + std::string(type) +
                                   "\n  compress 0+256K\n  fill at=header\n",
                               kRebuilt);
    EXPECT_EQ(repair.fired(), "");
    repair.expect_content();
  }
}

TEST(HeaderRebuild, nothing_is_rebuilt_without_consent) {
  const PlannedRepair sound(without_header("cluster=4K"), kRebuilt);
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
                             kRebuilt);
  expect_all_as_it_was(repair);
}

bool says(const PlannedRepair& repair, std::string_view text) {
  return !repair.plan.steps.empty() && repair.plan.steps.front().why.find(text) != std::string::npos;
}

TEST(HeaderRebuild, bitmaps_are_found_and_taken_for_not_saved) {
  for (const char* words : {"cluster=64K", "cluster=4K", "cluster=512", "cluster=64K extended-l2"}) {
    SCOPED_TRACE(words);
    const PlannedRepair repair("  image size=8M " + std::string(words) + R"(
  write 0+256K with=0x11
  snapshot 1
  write 64K+64K with=0x22
  bitmap one granularity=64K set=64K+64K
  bitmap two granularity=512 set=1M+2M auto
  fill at=header with=0x5a
)",
                               kRebuilt);
    EXPECT_TRUE(says(repair, "2 bitmaps are marked")) << repair.plan.steps.front().why;
    EXPECT_EQ(repair.fired(), "bitmap/in-use");
    ASSERT_EQ(repair.bitmaps().size(), 2u);
    EXPECT_EQ(repair.bitmaps()[0].name, "one");
    EXPECT_EQ(repair.bitmaps()[1].flags, Bitmap::kInUse | Bitmap::kAuto);
    repair.expect_qemu_finds_no_errors();
    repair.expect_content();
    repair.expect_content("1");
    // QEMU knows them, and makes no backup rest on them.
    EXPECT_EQ(repair.run("qemu-img info --output=json disk.qcow2 | grep -c in-use").out, "2\n");
  }
}

TEST(HeaderRebuild, bitmaps_are_given_up_where_their_directory_is_damaged) {
  const PlannedRepair repair(R"(
  image size=8M cluster=4K
  write 0+256K with=0x11
  bitmap one set=64K+64K
  set bitmap one bitmap_table_offset=guest:0
  fill at=header
)",
                             kRebuilt);
  EXPECT_TRUE(says(repair, "a bitmap directory is in doubt")) << repair.plan.steps.front().why;
  EXPECT_TRUE(repair.bitmaps().empty());
  EXPECT_EQ(repair.fired(), "refcount/leak refcount/orphan-mapping");  // what they were is not known
  repair.expect_content();
}

TEST(HeaderRebuild, a_directory_in_guest_data_is_none_of_the_image) {
  const PlannedRepair repair(R"(
  image size=8M cluster=4K
  write 0+256K with=0x11
  patch at=guest:64K hex=00000000000060000000000100000000011000036f6e65
  fill at=header
)",
                             kRebuilt);
  EXPECT_EQ(repair.fired(), "");
  EXPECT_TRUE(repair.bitmaps().empty());
}

TEST(HeaderRebuild, what_only_the_header_may_have_named_is_kept) {
  const std::string text = "  image size=8M cluster=4K\n  write 0+64K\n  leak with=0x77\n  fill at=header\n";
  const PlannedRepair repair(text, kRebuilt);
  EXPECT_EQ(repair.fired(), "refcount/leak");
  EXPECT_NE(repair.consent_needed().find("what only the lost header named"), std::string::npos);
  PlanOptions freeing = kRebuilt;
  freeing.choices["refcount/leak"] = "free";
  EXPECT_EQ(PlannedRepair(text, freeing).fired(), "");
}

TEST(HeaderRebuild, long_refcount_and_l1_tables_are_found_whole) {
  // A table of 3 clusters, and an L1 table of 17 of which the last 6 are empty.
  const std::string text = R"(
  image size=34M cluster=512 refcount-table=3
  write 0+16K with=0x11
  write 12M+8K with=0x22
  snapshot 1
  write 20M+16K with=0x33
  fill at=header
)";
  const PlannedRepair repair(text, kRebuilt);
  EXPECT_EQ(repair.header().refcount_table_clusters, 3u);
  EXPECT_EQ(repair.header().size, 34u << 20);
  expect_all_as_it_was(repair);
}

TEST(HeaderRebuild, a_refcount_table_behind_what_its_first_cluster_counts_is_found) {
  // 64 entries of 256 refcounts, and clusters of 512 bytes: 8 MiB. The table is further behind.
  const std::string text = R"(
  image size=12M cluster=512 refcount-table=2
  write 0+11M with=random
  fill at=header
)";
  const PlannedRepair repair(text, kRebuilt);
  EXPECT_GE(repair.header().refcount_table_clusters, 2u);
  EXPECT_EQ(repair.fired(), "");
  repair.expect_content();
}

TEST(HeaderRebuild, keys_of_an_encrypted_disk_are_found) {
  for (const char* words : {"cluster=64K", "cluster=4K", "cluster=64K extended-l2"}) {
    SCOPED_TRACE(words);
    const std::string text = "  image size=8M crypt=luks " + std::string(words) +
                             "\n  luks\n  write 0+256K with=random\n  write 5M+64K with=random\n";
    const PlannedRepair sound(text, {});
    const PlannedRepair repair(text + "  fill at=header\n", kRebuilt);
    EXPECT_EQ(repair.header().crypt_method, 2u);
    EXPECT_TRUE(says(repair, "its LUKS header at")) << repair.plan.steps.front().why;
    EXPECT_EQ(repair.fired(), "");
    EXPECT_EQ(repair.header().l1_table_offset, sound.header().l1_table_offset);
  }
}

TEST(HeaderRebuild, a_luks_header_in_guest_data_encrypts_nothing) {
  const PlannedRepair repair(R"(
  image size=8M cluster=4K
  write 0+256K with=0x11
  patch at=guest:64K hex=4c554b53babe0001
  fill at=header
)",
                             kRebuilt);
  EXPECT_EQ(repair.header().crypt_method, 0u);
  EXPECT_EQ(repair.fired(), "");
}

TEST(HeaderRebuild, an_image_with_a_data_file_is_rebuilt_where_the_user_names_it) {
  for (const char* words : {"cluster=64K", "cluster=4K", "cluster=512", "cluster=64K extended-l2"}) {
    SCOPED_TRACE(words);
    PlanOptions options = kRebuilt;
    options.data_file_name = "disk.raw";
    const PlannedRepair repair("  image size=7M " + std::string(words) + R"(
  data-file name=disk.raw size=7M
  write 0+256K with=0x11
  zero 1M+64K
  write 6M+64K with=0x33
  fill at=header with=0x5a
)",
                               options);
    EXPECT_TRUE(repair.header().has_data_file());
    EXPECT_EQ(repair.header().size, 7u << 20);
    EXPECT_EQ(repair.fired(), "");
    repair.expect_qemu_finds_no_errors();
    repair.expect_content();
  }
}

TEST(HeaderRebuild, the_data_file_of_a_donor_stays_its_own) {
  const std::string words = "  image size=7M cluster=4K\n  data-file name=disk.raw size=7M raw\n";
  const PlannedRepair donor(words + "  write 1M+64K with=0x99\n", {});
  const std::vector<std::byte> first(donor.image.begin(), donor.image.begin() + 4096);
  const PlannedRepair repair(words + "  write 0+64K with=0x11\n  write 3M+64K with=0x22\n  fill at=header\n",
                             {.donor = first});
  EXPECT_TRUE(repair.header().has_data_file());
  EXPECT_FALSE(repair.header().is_raw_data());
  EXPECT_EQ(repair.fired(), "data-file/name-missing");
}

}  // namespace
}  // namespace cowvet
