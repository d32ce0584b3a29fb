// A disk that seems to be larger than its tables: is it the size that is wrong, or are the tables too short?
#include <gtest/gtest.h>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr const char* kWithBitmap = R"(
  image cluster=1K size=200K
  write 0+16K
  write 150K+1K with=0x22
  bitmap b0 granularity=1K set=0+16K
)";
constexpr std::uint64_t kMapped = 256 << 10;  // by the L1 table's two entries

TEST(DoubtfulSize, is_left_without_consent_where_bitmaps_end_before_it_as_well) {
  const PlannedRepair repair(std::string(kWithBitmap) + "  set header size+=0x100000000\n",
                             {.allow_metadata = true});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_NE(repair.consent_needed().find("the tables of the bitmaps are too short for it as well"),
            std::string::npos)
      << repair.consent_needed();
  EXPECT_EQ(repair.bitmaps().size(), 1u);
}

TEST(DoubtfulSize, becomes_what_the_l1_table_maps_with_consent_and_the_bitmap_stays) {
  const PlannedRepair repair(std::string(kWithBitmap) + "  set header size+=0x100000000\n",
                             {.allow_metadata = true, .allow_lossy = true});
  EXPECT_EQ(repair.header().size, kMapped);
  EXPECT_EQ(repair.bitmaps().size(), 1u);
  EXPECT_EQ(repair.fired(), "");
  EXPECT_TRUE(repair.has_step(Remedy::lossy));
  EXPECT_EQ(repair.byte_at(150 << 10), std::byte{0x22});
}

TEST(DoubtfulSize, is_believed_where_the_user_says_so) {
  const PlannedRepair repair(
      std::string(kWithBitmap) + "  set header size+=1M\n",
      {.allow_metadata = true, .allow_lossy = true, .choices = {{"header/size-beyond-l1", "grow"}}});
  EXPECT_EQ(repair.header().size, (200u << 10) + (1u << 20));
  EXPECT_EQ(repair.fired(), "");
  EXPECT_EQ(repair.byte_at(150 << 10), std::byte{0x22});
  repair.expect_qemu_finds_no_errors();
}

TEST(DoubtfulSize, is_believed_where_nothing_but_the_l1_table_ends_before_it) {
  const PlannedRepair repair("image cluster=1K size=200K\n  write 0+16K\n  set header size+=1M\n", {});
  EXPECT_EQ(repair.header().size, (200u << 10) + (1u << 20));
  EXPECT_EQ(repair.fired(), "");
  repair.expect_qemu_finds_no_errors();
}

TEST(DoubtfulSize, becomes_that_of_the_raw_data_file) {
  const std::string body =
      "image cluster=4K size=128K\n  data-file name=disk.raw raw\n  write 0+128K\n  set header size+=4M\n";
  const PlannedRepair repair(body, {.allow_lossy = true});
  EXPECT_EQ(repair.header().size, 128u << 10);
  EXPECT_EQ(repair.data_file->size(), 128u << 10);
  EXPECT_EQ(repair.fired(), "");
}

TEST(DoubtfulSize, makes_no_data_file_longer_as_long_as_it_is_in_doubt) {
  const std::string body =
      "image cluster=4K size=128K\n  data-file name=disk.raw raw\n  write 0+128K\n  set header size+=4M\n";
  const PlannedRepair repair(body, {});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_NE(repair.consent_needed().find("the raw data file ends before it as well"), std::string::npos)
      << repair.consent_needed();
}

}  // namespace
}  // namespace cowvet
