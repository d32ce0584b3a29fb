// One wrong pointer must cost nothing: the table that it should name is still in the file. Where two
// structures claim one place, the one whose table can be found elsewhere moves.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr const char* kDisk = R"(
  image size=8M cluster=4K
  write 0+256K with=0x11
  snapshot 1
  write 64K+64K with=0x22
  write 6M+64K with=0x33
  bitmap b set=0+64K
)";

void expect_all_as_it_was(const PlannedRepair& repair) {
  EXPECT_EQ(repair.fired(), "");
  EXPECT_FALSE(repair.has_step(Remedy::lossy));
  EXPECT_FALSE(repair.has_step(Remedy::metadata));
  repair.expect_qemu_finds_no_errors();
  repair.expect_content();
}

TEST(LostTables, the_active_l1_table_is_found_wherever_the_header_points) {
  for (const char* damage :
       {"l1_table_offset=0", "l1_table_offset+=512", "l1_table_offset=1T", "l1_table_offset=file-end",
        "l1_table_offset+=4096", "l1_table_offset=l1@1", "l1_table_offset=refcount-table",
        "l1_table_offset=snapshot-table", "l1_table_offset=bitmap-table:b", "l1_table_offset=guest:0",
        "l1_table_offset=1T l1_size=0xffffffff", "l1_size=0x500000"}) {
    SCOPED_TRACE(damage);
    const PlannedRepair repair(std::string(kDisk) + "  set header " + damage + "\n", {});
    expect_all_as_it_was(repair);
    repair.expect_content("1");
  }
}

TEST(LostTables, the_active_l1_table_is_found_when_the_refcounts_are_lost_too) {
  const PlannedRepair repair(std::string(kDisk) + "  set header l1_table_offset=1T refcount_table_offset=0\n",
                             {});
  expect_all_as_it_was(repair);
  repair.expect_content("1");
}

TEST(LostTables, a_snapshot_l1_table_is_found_wherever_its_entry_points) {
  for (const char* place : {"1T", "l1", "snapshot-table", "bitmap-table:b", "refcount-table", "header"}) {
    SCOPED_TRACE(place);
    const PlannedRepair repair(
        std::string(kDisk) + "  set snapshot 1 l1_table_offset=" + std::string(place) + "\n", {});
    expect_all_as_it_was(repair);
    repair.expect_content("1");
  }
}

TEST(LostTables, the_snapshot_table_is_found_wherever_the_header_points) {
  for (const char* place : {"1T", "l1", "l1@1", "refcount-table"}) {
    SCOPED_TRACE(place);
    const PlannedRepair repair(
        std::string(kDisk) + "  set header snapshots_offset=" + std::string(place) + "\n", {});
    expect_all_as_it_was(repair);
    repair.expect_content("1");
  }
}

TEST(LostTables, a_bitmap_table_is_found_wherever_its_entry_points) {
  const PlannedRepair sound(kDisk, {});
  for (const char* place : {"1T", "l1", "l1@1", "bitmap-directory"}) {
    SCOPED_TRACE(place);
    const PlannedRepair repair(
        std::string(kDisk) + "  set bitmap b bitmap_table_offset=" + std::string(place) + "\n", {});
    expect_all_as_it_was(repair);
    EXPECT_EQ(repair.bitmaps(), sound.bitmaps());
  }
}

TEST(LostTables, an_image_without_guest_data_gets_an_empty_l1_table) {
  const PlannedRepair repair("  image size=8M cluster=4K\n  set header l1_table_offset=1T\n", {});
  expect_all_as_it_was(repair);
}

TEST(LostTables, where_guest_data_is_left_an_empty_l1_table_needs_consent) {
  const std::string text = R"(
  image size=8M cluster=4K
  write 0+256K
  fill at=l1
  set header l1_table_offset=1T
)";
  const PlannedRepair asked(text, {});
  EXPECT_TRUE(asked.plan.empty());
  EXPECT_NE(asked.consent_needed().find("--allow lossy"), std::string::npos);
  const PlannedRepair allowed(text, {.allow_lossy = true});
  EXPECT_TRUE(allowed.has_step(Remedy::lossy));
  EXPECT_EQ(allowed.header().l1_size, 4u);
  // What is left in the file is kept: somebody may still find out where it belongs.
  EXPECT_NE(allowed.fired().find("refcount/orphan-mapping"), std::string::npos);
}

// A leaked copy of the L1 table explains the file just as well.
TEST(LostTables, of_several_candidates_the_user_chooses) {
  const std::string text = R"(
  image size=4M cluster=4K
  write 0+64K with=0x11
  leak clusters=1 with=zeros
  patch at=leak:0 hex=8000000000004000
  set header l1_table_offset=1T
)";
  const PlannedRepair asked(text, {});
  EXPECT_TRUE(asked.plan.empty());
  EXPECT_NE(asked.consent_needed().find("=0x3000 ("), std::string::npos) << asked.consent_needed();
  const PlannedRepair chosen(text, {.choices = {{"header/l1-outside", "0x3000"}}});
  EXPECT_EQ(chosen.header().l1_table_offset, 0x3000u);
  EXPECT_TRUE(chosen.has_step(Remedy::choice));
  chosen.expect_content();
}

TEST(Overlaps, a_refcount_table_on_another_structure_is_made_anew) {
  for (const char* place :
       {"l1", "l1@1", "snapshot-table", "bitmap-table:b", "bitmap-directory", "guest:0"}) {
    SCOPED_TRACE(place);
    const PlannedRepair repair(
        std::string(kDisk) + "  set header refcount_table_offset=" + std::string(place) + "\n", {});
    expect_all_as_it_was(repair);
    repair.expect_content("1");
  }
}

TEST(Overlaps, two_snapshots_with_one_table_that_is_nowhere_else_are_kept_as_they_read) {
  const std::string text = R"(
  image size=4M cluster=4K
  write 0+256K with=0x11
  snapshot 1
  write 0+64K with=0x22
  fill at=l1@1
  set snapshot 1 l1_table_offset=l1
)";
  const PlannedRepair repair(text, {});
  EXPECT_TRUE(repair.has_step(Remedy::choice));
  repair.expect_content();
  repair.expect_content("1", repair.built.disk);
}

TEST(Overlaps, whose_table_it_is_the_user_says_where_both_are_possible) {
  const std::string text = R"(
  image size=4M
  bitmap a
  bitmap b
  set bitmap b bitmap_table_offset=bitmap-table:a
)";
  const PlannedRepair asked(text, {});
  EXPECT_TRUE(asked.plan.empty());
  EXPECT_NE(asked.consent_needed().find("=other:0x"), std::string::npos) << asked.consent_needed();
  const std::string all = asked.consent_needed();
  const std::size_t at = all.find("=other:0x") + 1;
  const PlannedRepair chosen(text,
                             {.choices = {{"overlap/metadata", all.substr(at, all.find(' ', at) - at)}}});
  EXPECT_EQ(chosen.fired(), "");
  EXPECT_EQ(chosen.bitmaps().size(), 2u);
}

TEST(Overlaps, a_bitmap_whose_table_is_nowhere_is_given_up_with_consent) {
  const std::string text = std::string(kDisk) +
                           "  fill at=bitmap-table:b with=0xff\n"
                           "  set bitmap b bitmap_table_offset=l1\n";
  EXPECT_TRUE(PlannedRepair(text, {}).plan.empty());
  const PlannedRepair allowed(text, {.allow_metadata = true});
  EXPECT_TRUE(allowed.bitmaps().empty());
  allowed.expect_content();
  allowed.expect_content("1");
}

TEST(Overlaps, an_encryption_header_is_found_by_its_magic_number) {
  for (const char* place : {"l1", "refcount-table", "l2:0"}) {
    SCOPED_TRACE(place);
    const PlannedRepair repair(
        "  image size=4M crypt=luks\n  luks\n  write 0+64K with=random\n  set extension luks offset=" +
            std::string(place) + "\n",
        {});
    EXPECT_EQ(repair.fired({}), "");
  }
}

}  // namespace
}  // namespace cowvet
