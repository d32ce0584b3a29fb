// Lost L2 tables are mapped again where their place is certain, and where the user says so.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tests/planning/planned_repair.h"

namespace cowvet {
namespace {

PlanOptions choosing(const std::string& outcome) {
  return {.choices = {{"refcount/orphan-mapping", outcome}}};
}

// Windows of 2 MiB; the entries of two are lost.
constexpr const char* kTwoLost = R"(
  image size=12M cluster=4K
  write 0+64K with=0x11
  write 2M+64K with=0x22
  write 4M+64K with=0x33
  write 6M+64K with=0x44
  write 8M+64K with=0x55
  write 10M+64K with=0x66
  set l1 guest=2M raw=0
  set l1 guest=6M raw=0
)";

TEST(Orphans, one_table_for_one_empty_entry_is_certain) {
  const std::string text = R"(
  image size=4M cluster=4K
  write 0+64K with=0x11
  write 2M+64K with=0x22
  set l1 guest=2M raw=0
)";
  EXPECT_TRUE(PlannedRepair(text, {}).plan.empty());
  const PlannedRepair repair(text, choosing("relink"));
  EXPECT_EQ(repair.fired(), "");
  repair.expect_content();
}

TEST(Orphans, of_several_places_all_are_listed_the_likely_ones_first) {
  const PlannedRepair asked(kTwoLost, choosing("relink"));
  EXPECT_TRUE(asked.plan.empty());
  const std::string all = asked.consent_needed();
  EXPECT_NE(all.find("2 empty L1 entries: 1 (in the order of the file), 3;"), std::string::npos) << all;
  EXPECT_NE(all.find("2 empty L1 entries: 3 (in the order of the file), 1;"), std::string::npos) << all;
}

TEST(Orphans, the_user_says_which_table_belongs_where) {
  // What was asked for: the ends of both lines.
  const std::string all = PlannedRepair(kTwoLost, choosing("relink")).consent_needed();
  std::vector<std::string> places;
  for (std::size_t at = 0; (at = all.find("=relink:", at)) != std::string::npos; ++at) {
    const std::size_t begin = at + std::string_view("=relink:").size();
    places.push_back(all.substr(begin, all.find('\n', begin) - begin));
  }
  const std::string outcome = fmt::format("relink:{}", fmt::join(places, ","));
  const PlannedRepair repair(kTwoLost, choosing(outcome));
  EXPECT_EQ(repair.fired(), "") << outcome;
  repair.expect_qemu_finds_no_errors();
  repair.expect_content();
}

TEST(Orphans, what_is_left_in_an_entry_tells_which_one_named_the_table) {
  const std::string text = R"(
  image size=8M cluster=4K
  write 0+64K with=0x11
  write 4M+64K with=0x22
  set l1 guest=4M raw=0x8000000000000000
)";
  const PlannedRepair repair(text, choosing("relink"));
  EXPECT_EQ(repair.fired(), "");
  repair.expect_content();
  // Until somebody decides it stays there.
  const PlannedRepair undecided(text, {});
  EXPECT_EQ(undecided.fired(), "l1/copied refcount/orphan-mapping");
  EXPECT_TRUE(undecided.plan.empty());
  EXPECT_EQ(PlannedRepair(text + "  set l1 guest=6M raw=0x8000000000000000\n", choosing("relink")).fired(),
            "l1/copied refcount/orphan-mapping");
}

TEST(Orphans, an_entry_that_is_taken_is_not_given_away) {
  const PlannedRepair repair(kTwoLost, choosing("relink:0x1000@1,0x0@1,0x15000@0"));
  EXPECT_TRUE(repair.plan.empty());
}

TEST(Orphans, beside_a_data_file_a_table_knows_its_own_place) {
  const PlannedRepair repair(R"(
  image size=12M cluster=4K
  data-file
  write 0+64K with=0x11
  write 2M+64K with=0x22
  write 6M+64K with=0x44
  set l1 guest=2M raw=0
  set l1 guest=6M raw=0
)",
                             choosing("relink"));
  EXPECT_EQ(repair.fired(), "");
  repair.expect_content();
}

}  // namespace
}  // namespace cowvet
