// Repairs of images with an external data file, read by QEMU afterwards: what the guest reads changes only as
// the user chose, and what another content shows through is not given up.
#include <gtest/gtest.h>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

bool asks_for(const PlannedRepair& repair, std::string_view what) {
  return repair.consent_needed().find(what) != std::string::npos;
}

constexpr const char* kWithBacking =
    "image size=1M\n  backing base.raw format=raw size=1M with=0x33\n  data-file raw\n";

TEST(RawWithBacking, clears_the_raw_bit_by_default) {
  const PlannedRepair repair(std::string(kWithBacking) + "  write 0+64K with=0x11\n", {});
  EXPECT_FALSE(repair.header().is_raw_data());
  EXPECT_NE(repair.header().backing_file_offset, 0u);
  EXPECT_EQ(repair.byte_at(0), std::byte{0x11});
  EXPECT_EQ(repair.byte_at(512 << 10), std::byte{0x33});
}

TEST(RawWithBacking, keeps_a_backing_file_that_shows_though_dropping_it_is_chosen) {
  const PlannedRepair repair(std::string(kWithBacking) + "  write 0+64K with=0x11\n",
                             {.choices = {{"data-file/raw-with-backing", "drop-backing"}}});
  EXPECT_NE(repair.header().backing_file_offset, 0u);
  EXPECT_EQ(repair.byte_at(512 << 10), std::byte{0x33});
}

TEST(RawWithBacking, drops_a_backing_file_of_which_nothing_shows) {
  const PlannedRepair repair(std::string(kWithBacking) + "  write 0+1M with=0x11\n",
                             {.choices = {{"data-file/raw-with-backing", "drop-backing"}}});
  EXPECT_EQ(repair.header().backing_file_offset, 0u);
  EXPECT_TRUE(repair.header().is_raw_data());
  EXPECT_EQ(repair.byte_at(512 << 10), std::byte{0x11});
}

// The guest reads zeros, the data file has 0x55: in both forms of L2 entries, with and without an L2 table.
class RawPromise : public testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  std::string body_ = std::string("image size=4M ") + std::get<0>(GetParam()) + "\n  data-file raw\n" +
                      std::get<1>(GetParam()) + "  fill at=2M length=64K with=0x55 file=data\n";
  PlannedRepair repaired(const std::string& outcome) const {
    return {body_, {.choices = {{"data-file/raw-unmapped", outcome}}}};
  }
};

INSTANTIATE_TEST_SUITE_P(Forms, RawPromise,
                         testing::Combine(testing::Values("", "extended-l2"),
                                          testing::Values("", "  write 0+64K with=0x11\n")));

TEST_P(RawPromise, is_given_up_by_default_and_the_guest_reads_what_it_read) {
  const PlannedRepair repair(body_, {});
  EXPECT_FALSE(repair.header().is_raw_data());
  EXPECT_EQ(repair.byte_at(2 * kMiB), std::byte{0});
  EXPECT_EQ((*repair.data_file)[2 * kMiB], std::byte{0x55});
}

TEST_P(RawPromise, brings_the_data_file_to_the_guest_where_it_is_trusted) {
  const PlannedRepair repair = repaired("trust-raw");
  EXPECT_TRUE(repair.header().is_raw_data());
  EXPECT_EQ(repair.byte_at(2 * kMiB), std::byte{0x55});
  EXPECT_EQ(repair.byte_at(2 * kMiB + 65536), std::byte{0});
  EXPECT_EQ(repair.fired().find("raw-unmapped"), std::string::npos) << repair.fired();
}

TEST_P(RawPromise, makes_the_data_file_zeros_where_the_metadata_is_trusted) {
  const PlannedRepair repair = repaired("trust-metadata");
  EXPECT_TRUE(repair.header().is_raw_data());
  EXPECT_EQ(repair.byte_at(2 * kMiB), std::byte{0});
  EXPECT_EQ((*repair.data_file)[2 * kMiB], std::byte{0});
}

TEST_P(RawPromise, changes_nothing_where_the_choice_means_nothing) {
  const PlannedRepair repair = repaired("both");
  EXPECT_TRUE(repair.header().is_raw_data());
  EXPECT_EQ((*repair.data_file)[2 * kMiB], std::byte{0x55});
}

class WrongOffset : public testing::TestWithParam<const char*> {
 protected:
  std::string image_ = std::string("image size=4M ") + GetParam() + "\n  data-file\n";
  // One cluster whose data lies at 3M; nothing else claims that.
  std::string body_ = image_ +
                      "  write 1M+64K with=0x11\n  fill at=3M length=64K with=0x55 file=data\n"
                      "  set l2 guest=1M offset=3M\n";
  // Two clusters, each at the place of the other.
  std::string swapped_ = image_ +
                         "  write 64K+64K with=0x11\n  write 128K+64K with=0x22\n"
                         "  set l2 guest=64K offset=128K\n  set l2 guest=128K offset=64K\n";
};

INSTANTIATE_TEST_SUITE_P(Forms, WrongOffset, testing::Values("", "extended-l2"));

TEST_P(WrongOffset, is_the_guest_offset_where_nothing_else_claims_that_place) {
  const PlannedRepair repair(body_, {});
  EXPECT_EQ(repair.byte_at(kMiB), std::byte{0x11});
  EXPECT_EQ(repair.fired().find("offset-mismatch"), std::string::npos) << repair.fired();
}

TEST_P(WrongOffset, brings_the_data_along_where_the_user_wants_that) {
  const PlannedRepair repair(body_, {.choices = {{"data-file/offset-mismatch", "move-data"}}});
  EXPECT_EQ(repair.byte_at(kMiB), std::byte{0x55});
  EXPECT_EQ(repair.byte_at(kMiB + 65535), std::byte{0x55});
}

TEST_P(WrongOffset, reads_as_zeros_only_with_consent) {
  const PlannedRepair unasked(body_, {.choices = {{"data-file/offset-mismatch", "zero"}}});
  EXPECT_TRUE(unasked.plan.empty());
  EXPECT_TRUE(asks_for(unasked, "data-file/offset-mismatch: needs --allow lossy"))
      << unasked.consent_needed();
  const PlannedRepair asked(body_, {.allow_lossy = true, .choices = {{"data-file/offset-mismatch", "zero"}}});
  EXPECT_EQ(asked.byte_at(kMiB), std::byte{0});
  EXPECT_EQ((*asked.data_file)[kMiB], std::byte{0x11});
}

TEST_P(WrongOffset, of_two_that_name_one_another_s_place_loses_the_data_of_neither) {
  for (const char* outcome : {"guest-offset", "move-data"}) {
    const PlannedRepair repair(swapped_, {.choices = {{"data-file/offset-mismatch", outcome}}});
    const bool moved = outcome == std::string_view("move-data");
    EXPECT_EQ(repair.byte_at(64 << 10), moved ? std::byte{0x22} : std::byte{0x11}) << outcome;
    EXPECT_EQ(repair.byte_at(128 << 10), moved ? std::byte{0x11} : std::byte{0x22}) << outcome;
  }
}

TEST(CompressedInADataFile, is_unpacked_and_given_up_only_where_it_cannot_be_and_with_consent) {
  const std::string body = "image size=4M\n  data-file\n  write 0+64K\n  compress 1M+128K\n";
  const PlannedRepair sound(body, {});
  sound.expect_content();
  const std::string broken = body + "  fill at=guest:1M length=16 with=0xff\n";
  const PlannedRepair unasked(broken, {});
  EXPECT_TRUE(asks_for(unasked, "data-file/compressed: needs --allow lossy")) << unasked.consent_needed();
  const PlannedRepair asked(broken, {.allow_lossy = true});
  EXPECT_EQ(asked.byte_at(kMiB), std::byte{0});
  EXPECT_EQ(asked.fired().find("data-file/compressed"), std::string::npos) << asked.fired();
}

TEST(FirstClusterWithoutCopied, reads_as_zeros_until_the_user_wants_it_mapped) {
  const std::string body =
      "image size=4M\n  data-file\n  write 0+128K with=0x11\n  set l2 guest=0 copied=0\n";
  EXPECT_EQ(PlannedRepair(body, {}).byte_at(0), std::byte{0});
  const PlannedRepair mapped(
      body, {.only = {"data-file/zero-offset"}, .choices = {{"data-file/zero-offset", "map"}}});
  EXPECT_EQ(mapped.byte_at(0), std::byte{0x11});
}

TEST(ShortDataFile, is_made_as_long_as_the_disk_by_a_hole_but_not_a_block_device) {
  const std::string body =
      "image size=4M\n  data-file\n  write 0+64K\n  write 4032K+64K\n  truncate at=1M file=data\n";
  const PlannedRepair repair(body, {});
  ASSERT_TRUE(repair.data_file);
  EXPECT_EQ(repair.data_file->size(), 4 * kMiB);
  EXPECT_EQ(repair.byte_at(4 * kMiB - 1), std::byte{0});
}

}  // namespace
}  // namespace cowvet
