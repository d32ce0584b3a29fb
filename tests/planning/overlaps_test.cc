// Two metadata structures in one place: the one that is lost is found, or gives way with consent, or both get
// what lies there; nothing is given up unasked.
#include <gtest/gtest.h>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

using Ids = std::vector<std::string>;

constexpr const char* kBitmaps =
    "image cluster=4K size=4M\n  write 0+64K\n  bitmap a set=0+64K\n  bitmap b set=1M+64K\n";
constexpr const char* kSnapshots =
    "image cluster=4K size=4M\n  write 0+64K\n  snapshot 1\n  write 0+64K with=0x22\n"
    "  snapshot 2\n  write 0+64K with=0x33\n";

std::vector<std::string> names_of(const std::vector<Bitmap>& bitmaps) {
  std::vector<std::string> names;
  for (const Bitmap& bitmap : bitmaps) names.push_back(bitmap.name);
  return names;
}

// The first outcome that is proposed for the overlap.
std::string first_proposal(const PlannedRepair& repair) {
  const std::string consent = repair.consent_needed();
  const std::size_t at = consent.find("one of =");
  if (at == std::string::npos) return "nothing proposed: " + consent;
  const std::size_t begin = at + std::string_view("one of =").size();
  return consent.substr(begin, consent.find(' ', begin) - begin);
}

constexpr const char* kOneTableForTwo = "  set bitmap b bitmap_table_offset=bitmap-table:a\n";

TEST(Overlaps, of_two_bitmap_tables_stay_where_either_may_own_the_lost_one) {
  const PlannedRepair repair(std::string(kBitmaps) + kOneTableForTwo, {.allow_metadata = true});
  EXPECT_EQ(names_of(repair.bitmaps()), (Ids{"a", "b"}));
  EXPECT_EQ(repair.bitmaps()[0].table_offset, repair.bitmaps()[1].table_offset);
  EXPECT_NE(repair.consent_needed().find("several places are possible"), std::string::npos)
      << repair.consent_needed();
}

TEST(Overlaps, of_two_bitmap_tables_end_where_the_user_says_whose_the_lost_one_is) {
  const std::string body = std::string(kBitmaps) + kOneTableForTwo;
  const std::string first = first_proposal(PlannedRepair(body, {}));
  const PlannedRepair repair(body, {.choices = {{"overlap/metadata", first}}});
  const PlannedRepair other(body, {.choices = {{"overlap/metadata", "other:" + first}}});
  for (const PlannedRepair* repaired : {&repair, &other})
    EXPECT_EQ(repaired->fired(), "") << repaired->consent_needed();
  EXPECT_EQ(repair.bitmaps()[0].table_offset, other.bitmaps()[1].table_offset);
  EXPECT_EQ(repair.bitmaps()[1].table_offset, other.bitmaps()[0].table_offset);
}

TEST(Overlaps, of_two_bitmap_tables_cost_both_bitmaps_where_the_user_drops_them) {
  const std::string body = std::string(kBitmaps) + kOneTableForTwo;
  const PlannedRepair unasked(body, {.choices = {{"overlap/metadata", "drop"}}});
  EXPECT_EQ(names_of(unasked.bitmaps()), (Ids{"a", "b"}));
  const PlannedRepair asked(body, {.allow_metadata = true, .choices = {{"overlap/metadata", "drop"}}});
  EXPECT_TRUE(asked.bitmaps().empty());
  EXPECT_EQ(asked.fired(), "refcount/leak refcount/orphan-mapping");  // the lost table and its data stay
}

TEST(Overlaps, of_a_lost_bitmap_table_with_the_l1_table_cost_the_bitmap_with_consent_only) {
  const std::string body = std::string(kBitmaps) +
                           "  fill at=bitmap-table:b length=4K with=random\n"
                           "  set bitmap b bitmap_table_offset=l1\n";
  const PlannedRepair unasked(body, {});
  EXPECT_EQ(names_of(unasked.bitmaps()), (Ids{"a", "b"}));
  EXPECT_FALSE(unasked.plan.consent_needed.empty());
  const PlannedRepair asked(body, {.allow_metadata = true});
  EXPECT_EQ(names_of(asked.bitmaps()), Ids{"a"});
  asked.expect_content();
}

TEST(Overlaps, of_two_snapshots_end_where_the_user_says_whose_the_lost_l1_table_is) {
  const std::string body = std::string(kSnapshots) + "  set snapshot 2 l1_table_offset=l1@1\n";
  const PlannedRepair unasked(body, {});
  EXPECT_EQ(unasked.snapshots()[0].l1_table_offset, unasked.snapshots()[1].l1_table_offset);
  const PlannedRepair repair(body, {.choices = {{"overlap/metadata", first_proposal(unasked)}}});
  EXPECT_EQ(repair.snapshot_ids(), (Ids{"1", "2"}));
  EXPECT_EQ(repair.fired(), "") << repair.consent_needed();
  for (const char* id : {"", "1", "2"}) repair.expect_content(id);
}

constexpr const char* kLostL1 = "  fill at=l1@2 length=4K\n  set snapshot 2 l1_table_offset=l1@1\n";

TEST(Overlaps, of_two_snapshots_whose_tables_both_fit_give_each_a_table_of_its_own) {
  const PlannedRepair repair(std::string(kSnapshots) + kLostL1, {});
  const std::vector<Snapshot> snapshots = repair.snapshots();
  ASSERT_EQ(snapshots.size(), 2u);
  EXPECT_NE(snapshots[0].l1_table_offset, snapshots[1].l1_table_offset);
  repair.expect_content();
  repair.expect_content("1");
}

TEST(Overlaps, of_two_snapshots_cost_one_where_the_user_wants_it_dropped) {
  const PlannedRepair repair(std::string(kSnapshots) + kLostL1,
                             {.allow_metadata = true, .choices = {{"overlap/metadata", "drop"}}});
  EXPECT_EQ(repair.snapshots().size(), 1u);
  repair.expect_content();
}

TEST(Overlaps, stay_where_dropping_is_chosen_but_not_allowed) {
  const PlannedRepair repair(std::string(kSnapshots) + kLostL1, {.choices = {{"overlap/metadata", "drop"}}});
  EXPECT_EQ(repair.snapshots().size(), 2u);
  EXPECT_NE(repair.consent_needed().find("overlap/metadata: needs --allow metadata"), std::string::npos)
      << repair.consent_needed();
}

TEST(Overlaps, stay_where_the_choice_means_nothing) {
  const PlannedRepair repair(std::string(kSnapshots) + kLostL1, {.choices = {{"overlap/metadata", "swap"}}});
  EXPECT_TRUE(repair.plan.empty());
  EXPECT_NE(repair.consent_needed().find("overlap/metadata=copy or =drop"), std::string::npos)
      << repair.consent_needed();
}

TEST(Overlaps, of_tables_are_not_separated_on_a_device_that_cannot_grow) {
  const PlannedRepair repair(std::string(kSnapshots) + kLostL1, {}, Medium::block_device);
  EXPECT_EQ(repair.snapshots()[0].l1_table_offset, repair.snapshots()[1].l1_table_offset);
  EXPECT_FALSE(repair.plan.consent_needed.empty());
}

constexpr const char* kLostSnapshotTable =
    "  fill at=snapshot-table length=4K\n  set header snapshots_offset=l1\n";

TEST(Overlaps, of_a_lost_snapshot_table_cost_no_snapshot_while_an_l1_table_of_one_lies_there) {
  const PlannedRepair repair(std::string(kSnapshots) + kLostSnapshotTable, {.allow_metadata = true});
  EXPECT_EQ(repair.header().nb_snapshots, 2u);
  EXPECT_NE(repair.consent_needed().find("name the lost L1 table"), std::string::npos)
      << repair.consent_needed();
  repair.expect_content();
}

TEST(Overlaps, of_a_lost_snapshot_table_cost_all_snapshots_with_consent_where_nothing_is_left_of_them) {
  const std::string body =
      std::string(kSnapshots) + "  fill at=l1@1 length=4K\n  fill at=l1@2 length=4K\n" + kLostSnapshotTable;
  const PlannedRepair unasked(body, {});
  EXPECT_EQ(unasked.header().nb_snapshots, 2u);
  EXPECT_FALSE(unasked.plan.consent_needed.empty());
  const PlannedRepair asked(body, {.allow_metadata = true});
  EXPECT_EQ(asked.header().nb_snapshots, 0u) << asked.consent_needed();
  asked.expect_content();
}

TEST(Overlaps, of_the_snapshot_table_end_where_the_lost_table_is_found) {
  const PlannedRepair repair(std::string(kSnapshots) + "  set header snapshots_offset=l1\n", {});
  EXPECT_EQ(repair.snapshot_ids(), (Ids{"1", "2"}));
  EXPECT_EQ(repair.fired(), "") << repair.consent_needed();
  for (const char* id : {"", "1", "2"}) repair.expect_content(id);
}

TEST(Overlaps, of_the_bitmap_directory_cost_all_bitmaps_with_consent_only) {
  const std::string body = std::string(kBitmaps) +
                           "  fill at=bitmap-directory length=4K\n"
                           "  set extension bitmaps bitmap_directory_offset=l1\n";
  const PlannedRepair unasked(body, {});
  EXPECT_FALSE(unasked.plan.consent_needed.empty());
  const PlannedRepair asked(body, {.allow_metadata = true});
  EXPECT_TRUE(asked.bitmaps().empty());
  asked.expect_content();
}

TEST(Overlaps, of_the_bitmap_directory_end_where_the_lost_directory_is_found) {
  const PlannedRepair repair(std::string(kBitmaps) + "  set extension bitmaps bitmap_directory_offset=l1\n",
                             {});
  EXPECT_EQ(names_of(repair.bitmaps()), (Ids{"a", "b"}));
  EXPECT_EQ(repair.fired(), "") << repair.consent_needed();
  repair.expect_content();
}

}  // namespace
}  // namespace cowvet
