// Fields of the header that decide how all the rest is read: they are settled before anything is copied or
// given up that only looks damaged.
#include <gtest/gtest.h>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr const char* kInDataFile = R"(
  image cluster=1K size=200K
  data-file name=disk.raw
  write 0+16K
  write 150K+1K with=0x22
)";

TEST(HeaderBits, of_a_data_file_is_set_again_where_everything_fits_then) {
  const PlannedRepair repair(std::string(kInDataFile) + "  set header incompatible_features=0\n", {});
  EXPECT_TRUE(repair.header().has_data_file());
  EXPECT_EQ(repair.plan.steps.size(), 1u);
  EXPECT_EQ(repair.fired(), "");
  EXPECT_EQ(repair.byte_at(150 << 10), std::byte{0x22});
}

TEST(HeaderBits, of_a_data_file_is_not_set_for_a_file_that_is_not_there) {
  const PlannedRepair repair("image size=1M\n  extension data-file-name text=\"disk.raw\"\n  write 0+64K\n",
                             {.choices = {{"ext/data-file-name-unexpected", "set-bit"}}});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_NE(repair.consent_needed().find("--data-file PATH says where it is"), std::string::npos);
}

TEST(HeaderBits, say_version_3_before_entries_of_16_bytes_are_read_as_entries_of_8) {
  const PlannedRepair repair(
      "image cluster=16K extended-l2 size=1M\n  write 0+64K\n  write 64K+3K with=0x11\n"
      "  snapshot 1\n  write 512+1K with=0x22\n  set header version=2\n",
      {});
  EXPECT_EQ(repair.header().version, 3u);
  EXPECT_EQ(repair.plan.steps.size(), 1u);
  EXPECT_FALSE(repair.plan.steps.front().impact.empty());
  EXPECT_EQ(repair.fired(), "");
  repair.expect_content();
  repair.expect_content("1");
}

TEST(HeaderBits, announce_nothing_where_the_guest_reads_the_same_in_both_versions) {
  const PlannedRepair repair("image lazy-refcounts size=1M\n  write 0+64K\n  set header version=2\n", {});
  EXPECT_EQ(repair.header().version, 3u);
  ASSERT_EQ(repair.plan.steps.size(), 1u);
  EXPECT_TRUE(repair.plan.steps.front().impact.empty());
}

TEST(HeaderBits, of_a_table_without_an_end_copy_nothing_into_it) {
  const PlannedRepair repair(
      "image cluster=512 size=48K refcount-bits=4\n  write 0+8K\n  snapshot 1\n  write 0+1K\n"
      "  set header nb_snapshots=0x7000000\n  set l1 guest=0 snapshot=1 offset=0xc00\n",
      {.allow_metadata = true, .allow_lossy = true});
  EXPECT_LT(repair.image.size(), 64u << 10);
  EXPECT_EQ(repair.snapshot_ids(), std::vector<std::string>{"1"});
  repair.expect_content();
}

TEST(HeaderBits, naming_no_backing_file_are_cleared_where_no_name_is) {
  const PlannedRepair repair("image size=1M\n  write 0+64K\n  set header backing_file_offset=0x200\n", {});
  EXPECT_EQ(repair.header().backing_file_offset, 0u);
  EXPECT_EQ(repair.fired(), "");
  repair.expect_content();
}

TEST(HeaderBits, naming_no_backing_file_are_left_where_a_format_speaks_of_one) {
  const PlannedRepair repair(
      "image size=1M\n  extension backing-format text=raw\n  write 0+64K\n"
      "  set header backing_file_offset=0x200\n",
      {});
  EXPECT_EQ(repair.header().backing_file_offset, 0x200u);
  EXPECT_FALSE(repair.plan.consent_needed.empty());
}

}  // namespace
}  // namespace cowvet
