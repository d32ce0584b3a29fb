// What must survive a repair: other snapshots with their data, other bitmaps, extensions that nobody knows,
// the backing file's name. QEMU reads the repaired images.
#include <gtest/gtest.h>

#include <algorithm>

#include "checker/analysis/passes.h"
#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr const char* kThreeSnapshots = R"(
  image size=4M cluster=4K
  write 0+256K with=0x11
  snapshot 1 name=one
  write 64K+64K with=0x22
  snapshot 2 name=two
  write 0+128K with=0x33
  snapshot 3 name=three
  write 1M+64K with=0x44
)";

using Ids = std::vector<std::string>;

TEST(Survivors, other_snapshots_when_one_is_given_up) {
  const PlannedRepair repair(
      std::string(kThreeSnapshots) + "  set snapshot 2 l1_table_offset=0xffffffffffff0000 l1_size=16384\n",
      {.allow_metadata = true, .choices = {{"refcount/orphan-mapping", "free"}}});
  EXPECT_EQ(repair.snapshot_ids(), (Ids{"1", "3"}));
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
  for (const char* id : {"1", "3"}) repair.expect_content(id);
  repair.expect_content();
}

TEST(Survivors, no_snapshot_is_given_up_without_consent) {
  const PlannedRepair repair(
      std::string(kThreeSnapshots) + "  set snapshot 2 l1_table_offset=0xffffffffffff0000 l1_size=16384\n",
      {});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_FALSE(repair.plan.consent_needed.empty());
}

TEST(Survivors, a_snapshot_whose_l1_table_is_found_again) {
  const PlannedRepair repair(std::string(kThreeSnapshots) + "  set snapshot 2 l1_table_offset=1T\n", {});
  EXPECT_EQ(repair.snapshot_ids(), (Ids{"1", "2", "3"}));
  EXPECT_EQ(repair.fired(), "");
  for (const char* id : {"1", "2", "3"}) repair.expect_content(id);
}

TEST(Survivors, all_snapshots_when_their_table_is_found_again) {
  const PlannedRepair repair(std::string(kThreeSnapshots) + "  set header snapshots_offset=file-end\n", {});
  EXPECT_EQ(repair.snapshot_ids(), (Ids{"1", "2", "3"}));
  EXPECT_EQ(repair.fired(), "");
  for (const char* id : {"1", "2", "3"}) repair.expect_content(id);
}

TEST(Survivors, snapshots_of_which_two_had_one_id) {
  const PlannedRepair repair(std::string(kThreeSnapshots) + "  set snapshot 3 id=\"1\"\n", {});
  EXPECT_EQ(repair.snapshot_ids(), (Ids{"1", "2", "3"}));
  EXPECT_EQ(repair.snapshots().back().name, "three");
  EXPECT_EQ(repair.fired(), "");
  for (const char* id : {"1", "2", "3"}) repair.expect_content(id);
}

TEST(Survivors, sizes_of_vm_state_and_disk_of_a_version_2_entry) {
  const PlannedRepair repair(R"(
  image size=1M
  write 0+64K with=0x11
  snapshot 1 name=one extra=0
  set snapshot 1 vm_state_size_32=0
)",
                             {});
  ASSERT_EQ(repair.snapshots().size(), 1u);
  EXPECT_EQ(repair.snapshots()[0].extra_data.size(), kSnapshotExtraNeededV3);
  EXPECT_EQ(repair.snapshots()[0].disk_size(0), 1u << 20);
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
  repair.expect_content("1");
}

constexpr const char* kThreeBitmaps = R"(
  image size=4M
  write 0+64K
  bitmap b1 set=0+64K
  bitmap b2 set=64K+64K
  bitmap b3 set=128K+128K auto
)";

TEST(Survivors, other_bitmaps_when_one_is_given_up) {
  const PlannedRepair sound(kThreeBitmaps, {});
  const PlannedRepair repair(std::string(kThreeBitmaps) + "  set bitmap b2 type=7\n",
                             {.allow_metadata = true});
  EXPECT_TRUE(sound.plan.empty());
  EXPECT_EQ(repair.bitmaps(), (std::vector{sound.bitmaps()[0], sound.bitmaps()[2]}));
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
  const CommandResult info = repair.run("qemu-img info -f qcow2 disk.qcow2");
  EXPECT_NE(info.out.find("name: b1"), std::string::npos) << info.out;
  EXPECT_EQ(info.out.find("name: b2"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("name: b3"), std::string::npos) << info.out;
  // Tables and data of the others are where they were, untouched.
  for (const Write& write : repair.plan.steps[0].writes) EXPECT_GE(write.offset, sound.image.size());
}

TEST(Survivors, all_bitmaps_when_their_directory_is_found_again) {
  const PlannedRepair sound(kThreeBitmaps, {});
  for (const char* damage :
       {"set extension bitmaps bitmap_directory_offset=1T", "set extension bitmaps nb_bitmaps=1",
        "set extension bitmaps data_length=16", "set extension bitmaps bitmap_directory_size+=4096",
        "set bitmap b2 bitmap_table_offset+=512"}) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair(std::string(kThreeBitmaps) + "  " + damage + "\n", {});
    EXPECT_EQ(repair.bitmaps(), sound.bitmaps());
    EXPECT_EQ(repair.fired(), "");
    EXPECT_FALSE(repair.has_step(Remedy::metadata));
  }
}

TEST(Survivors, bits_of_the_disk_next_to_tail_bits) {
  const PlannedRepair repair(R"(
  image size=640K
  bitmap b granularity=64K set=0+640K
  patch at=bitmap-data:b:0+1 hex=ff
)",
                             {.deep = true});
  EXPECT_EQ(repair.fired(), "");
  ASSERT_EQ(repair.plan.steps.size(), 1u);
  EXPECT_EQ(repair.plan.steps[0].writes[0].new_bytes.bytes()[0], std::byte{0x03});
}

TEST(Survivors, unknown_extensions_and_the_backing_name) {
  const PlannedRepair repair(R"(
  image size=1M
  backing base.raw format=raw size=1M with=zeros
  extension 0x12345678 text="kept as it is"
  extension backing-format text=raw
  extension 0x12345679 hex=00ff00
)",
                             {});
  EXPECT_EQ(repair.fired(), "");
  Examination examination(repair.image);
  run_passes(examination.context);
  EXPECT_EQ(examination.context.report.backing_name, "base.raw");
  std::vector<std::pair<std::uint32_t, std::string>> found;
  for (const Extension& extension : examination.context.extensions.extensions)
    found.emplace_back(static_cast<std::uint32_t>(extension.type), extension.text());
  EXPECT_NE(std::ranges::find(found, std::pair(0x12345678u, std::string("kept as it is"))), found.end());
  EXPECT_NE(std::ranges::find(found, std::pair(0x12345679u, std::string("\0\xff\0", 3))), found.end());
  EXPECT_EQ(found.size(), 3u);
  const CommandResult info = repair.run("qemu-img info -f qcow2 disk.qcow2");
  EXPECT_NE(info.out.find("backing file: base.raw"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("backing file format: raw"), std::string::npos) << info.out;
}

TEST(Survivors, compressed_clusters_whose_type_the_header_forgot) {
  for (const char* damage : {"compression_type=0", "incompatible_features=0", "header_length=104"}) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair(
        "  image size=1M compression=zstd\n  compress 0+256K\n  set header " + std::string(damage) + "\n",
        {});
    EXPECT_EQ(repair.fired(), "");
    EXPECT_EQ(repair.header().compression_type, 1);
    repair.expect_qemu_finds_no_errors();
    repair.expect_content();
  }
}

TEST(Survivors, data_behind_a_shortened_l1_table) {
  const PlannedRepair repair(R"(
  image size=4M cluster=4K
  write 0+16K
  write 3M+64K
  set header l1_size=1
)",
                             {});
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
  repair.expect_content();
}

TEST(Survivors, data_of_an_l1_table_that_has_to_move) {
  const PlannedRepair repair(R"(
  image size=2M cluster=512
  write 0+16K
  write 2047K+1K
  set header size+=512
)",
                             {});
  EXPECT_EQ(repair.fired(), "");
  EXPECT_EQ(repair.header().l1_size, 65u);
  repair.expect_qemu_finds_no_errors();
  repair.expect_content();
}

TEST(Survivors, keys_that_the_encryption_method_denies) {
  const PlannedRepair repair(R"(
  image size=1M crypt=luks
  luks
  write 0+64K with=random
  set header crypt_method=0
)",
                             {.allow_metadata = true, .allow_lossy = true});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_FALSE(repair.plan.consent_needed.empty());
}

TEST(Survivors, a_backing_file_that_the_guest_reads) {
  const std::string text = R"(
  image size=1M
  backing "n"*1024 format=raw
  write 0+64K
)";
  const PlanOptions drop{.choices = {{"header/backing-name-too-long", "drop-backing"}}};
  EXPECT_TRUE(PlannedRepair(text, drop).plan.empty());
  EXPECT_FALSE(PlannedRepair(text + "  write 64K+960K\n", drop).plan.empty());
}

TEST(Survivors, stale_bitmaps_unless_somebody_names_them) {
  const std::string text = R"(
  image size=16M
  write 0+64K
  bitmap b set=0+64K
  set header autoclear_features=0
  set refcount of=bitmap-table:b value=0
  set refcount of=bitmap-data:b:0 value=0
  set refcount of=bitmap-directory value=0
)";
  EXPECT_TRUE(PlannedRepair(text, {.allow_metadata = true}).plan.empty());
  const PlannedRepair named(text, {.allow_metadata = true, .only = {"ext/bitmaps-stale"}});
  EXPECT_EQ(named.plan.steps.size(), 1u);
  EXPECT_EQ(named.fired(), "");
}

}  // namespace
}  // namespace cowvet
