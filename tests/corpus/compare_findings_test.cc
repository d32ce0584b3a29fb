#include "corpus/compare_findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "corpus/parse_recipe.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

using testing::HasSubstr;

// Guest data at 0 to 256K; the L2 table is known.
class CompareFindings : public testing::Test {
 protected:
  // What is said of `findings` by a recipe that ends with these lines.
  std::string compare(const std::string& expectations, std::vector<Finding> findings) {
    const auto recipes =
        parse_recipes("recipe test/one\nabout A test\nkind sound\nimage size=4M\nwrite 0+256K\n" +
                          expectations + "\nexpect-status 0\n",
                      "test.recipe");
    if (!recipes) return recipes.error().text();
    const auto built = build(recipes->front());
    if (!built) return built.error().text();
    Report report;
    report.findings = std::move(findings);
    return compare_findings(recipes->front(), *built, report);
  }

  // COPIED wrong in `count` entries from guest offset `guest` on; the L2 table lies in cluster 4.
  static Finding copied(std::uint64_t guest, std::uint64_t count) {
    return {.rule = rule("l2/copied"),
            .place = {.structure = Structure::l2_table,
                      .offset = 0x40000 + guest / 65536 * 8,
                      .length = count * 8,
                      .guest = GuestRange{guest, count * 65536}},
            .count = count};
  }
};

TEST_F(CompareFindings, is_content_with_what_was_expected) {
  EXPECT_EQ(compare("expect l2/copied at=l2-entry:64K guest=64K+64K count=1 severity=corruption",
                    {copied(65536, 1)}),
            "");
  EXPECT_EQ(compare("expect none", {}), "");
}

TEST_F(CompareFindings, misses_what_is_not_there) {
  EXPECT_THAT(compare("expect l2/copied", {}), HasSubstr("no such finding of l2/copied"));
}

TEST_F(CompareFindings, complains_of_what_was_not_expected) {
  EXPECT_THAT(compare("expect none", {copied(0, 1)}), HasSubstr("not expected: l2/copied"));
  EXPECT_THAT(compare("expect l1/copied", {copied(0, 1)}), HasSubstr("not expected: l2/copied"));
}

TEST_F(CompareFindings, complains_of_notices_as_well) {
  Finding notice{.rule = rule("file/trailing")};
  EXPECT_THAT(compare("expect none", {notice}), HasSubstr("not expected: file/trailing severity=notice"));
}

TEST_F(CompareFindings, allows_what_may_appear) {
  const Finding trailing{.rule = rule("file/trailing")};
  EXPECT_EQ(compare("expect file/trailing\nallow l2/copied", {copied(0, 1), trailing}), "");
  EXPECT_EQ(compare("expect file/trailing\nallow l2/copied", {trailing}), "");
}

TEST_F(CompareFindings, looks_at_the_place) {
  EXPECT_NE(compare("expect l2/copied at=l2-entry:128K", {copied(65536, 1)}), "");
  EXPECT_EQ(compare("expect l2/copied at=l2-entry:128K", {copied(65536, 2)}), "");
  EXPECT_NE(compare("expect l2/copied other=l2:0", {copied(65536, 1)}), "");
}

TEST_F(CompareFindings, looks_at_counts_severities_owners_and_numbers) {
  for (const char* wrong : {"count=2", "severity=leak", "owner=\"bitmap b\"", "expected=1", "found=1",
                            "structure=\"L1 table\"", "file=data-file"})
    EXPECT_NE(compare(std::string("expect l2/copied ") + wrong, {copied(0, 1)}), "") << wrong;
}

TEST_F(CompareFindings, counts_all_findings_of_one_expectation) {
  EXPECT_EQ(compare("expect l2/copied count=3", {copied(0, 1), copied(131072, 2)}), "");
}

TEST_F(CompareFindings, wants_the_guest_range_covered_and_not_left) {
  EXPECT_EQ(compare("expect l2/copied guest=0+128K", {copied(0, 1), copied(65536, 1)}), "");
  EXPECT_THAT(compare("expect l2/copied guest=0+192K", {copied(0, 1), copied(131072, 1)}),
              HasSubstr("does not cover the guest range"));
  EXPECT_THAT(compare("expect l2/copied guest=0+64K", {copied(0, 2)}), HasSubstr("no such finding"));
}

TEST_F(CompareFindings, names_places_that_the_image_does_not_have) {
  EXPECT_THAT(compare("expect l2/copied at=snapshot:9", {copied(0, 1)}),
              HasSubstr("the image has no snapshot 9"));
}

}  // namespace
}  // namespace cowvet::corpus
