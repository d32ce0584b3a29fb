#include "checker/report/verdict.h"

#include <gmock/gmock.h>

#include "tests/report/sample_report.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kNoErrors = "No errors were found on the image";

Report not_qcow2() {
  Report report;
  add_finding(report, {.rule = rule("header/magic"), .place = Place{}});
  return report;
}

TEST(Verdict, each_severity_has_the_status_of_qemu_img) {
  EXPECT_EQ(exit_status_of(sound_report(), {}), 0);
  EXPECT_EQ(exit_status_of(with(rule("header/dirty")), {}), 0);
  EXPECT_EQ(exit_status_of(with(rule("file/unreadable")), {}), 1);
  EXPECT_EQ(exit_status_of(with(rule("l2/outside")), {}), 2);
  EXPECT_EQ(exit_status_of(with(rule("refcount/leak")), {}), 3);
  EXPECT_EQ(exit_status_of(not_qcow2(), {}), 63);
}

TEST(Verdict, what_could_not_be_examined_outranks_corruption_and_corruption_outranks_leaks) {
  Report report = with(rule("refcount/leak"));
  add_finding(report, {.rule = rule("l2/outside"), .place = Place{}});
  EXPECT_EQ(exit_status_of(report, {}), 2);
  add_finding(report, {.rule = rule("file/unreadable"), .place = Place{}});
  EXPECT_EQ(exit_status_of(report, {}), 1);
}

TEST(Verdict, strict_counts_notices_as_errors) {
  EXPECT_EQ(exit_status_of(with(rule("header/dirty")), {.strict = true}), 2);
  EXPECT_EQ(exit_status_of(sound_report(), {.strict = true}), 0);
}

TEST(Verdict, strict_takes_a_data_file_that_was_not_examined_for_incomplete) {
  const Report report = with(rule("data-file/not-examined"));
  EXPECT_EQ(exit_status_of(report, {}), 0);
  EXPECT_EQ(exit_status_of(report, {.strict = true}), 1);
}

TEST(Verdict, a_file_that_was_said_to_be_qcow2_and_is_not_is_an_error) {
  EXPECT_EQ(exit_status_of(not_qcow2(), {.must_be_qcow2 = true}), 1);
}

TEST(Verdict, a_file_whose_first_bytes_cannot_be_read_is_not_called_another_format) {
  Report report;
  add_finding(report, {.rule = rule("file/unreadable"), .place = Place{}});
  EXPECT_EQ(verdict_of(report), Verdict::incomplete);
  EXPECT_EQ(exit_status_of(report, {}), 1);
}

TEST(Verdict, what_a_repair_would_give_up_decides_what_is_at_risk) {
  EXPECT_EQ(verdict_of(with(rule("refcount/too-low"))), Verdict::metadata_damaged);
  EXPECT_EQ(verdict_of(with(rule("snapshot/l1-outside"))), Verdict::auxiliary_damaged);
  EXPECT_EQ(verdict_of(with(rule("l2/cross-linked"))), Verdict::guest_data_at_risk);
  EXPECT_EQ(verdict_of(with(rule("l2/outside"))), Verdict::guest_data_at_risk);
  EXPECT_EQ(verdict_of(with(rule("luks/header"))), Verdict::guest_data_at_risk);
}

TEST(Verdict, the_worst_damage_decides_in_any_order) {
  Report report = with(rule("l2/outside"));
  add_finding(report, {.rule = rule("snapshot/l1-outside"), .place = Place{}});
  add_finding(report, {.rule = rule("refcount/too-low"), .place = Place{}});
  EXPECT_EQ(verdict_of(report), Verdict::guest_data_at_risk);
}

TEST(Verdict, a_finding_with_another_severity_than_its_rule_is_judged_by_its_own) {
  EXPECT_EQ(verdict_of(with({.rule = rule("data-file/zero-offset"), .place = Place{}})), Verdict::sound);
  EXPECT_EQ(verdict_of(with(
                {.rule = rule("data-file/zero-offset"), .severity = Severity::corruption, .place = Place{}})),
            Verdict::metadata_damaged);
}

TEST(Verdict, a_rule_whose_damage_hides_behind_an_unchecked_finding_still_counts_as_damage) {
  Report report = with({.rule = rule("header/compression-type"), .place = Place{}});
  add_finding(report,
              {.rule = rule("header/compression-type"), .severity = Severity::unchecked, .place = Place{}});
  EXPECT_EQ(verdict_of(report), Verdict::incomplete);
  EXPECT_EQ(damage_of(report), Verdict::metadata_damaged);
}

TEST(Verdict, an_unfinished_repair_comes_before_all_that_was_found) {
  for (Report report : {sound_report(), with(rule("l2/outside")), Report{}}) {
    report.unfinished_journal = "disk.cowvet-journal";
    EXPECT_EQ(verdict_of(report), Verdict::repair_unfinished);
    EXPECT_EQ(exit_status_of(report, {}), kExitIncomplete);
    EXPECT_THAT(verdict_sentence(report, {}), HasSubstr("must not be used"));
    EXPECT_THAT(verdict_sentence(report, {}), Not(HasSubstr("No errors")));
  }
}

TEST(VerdictSentence, only_a_sound_image_has_the_words_that_scripts_look_for) {
  EXPECT_EQ(verdict_sentence(sound_report(), {}), "disk.qcow2 is sound: No errors were found on the image.");
  EXPECT_THAT(verdict_sentence(with(rule("header/dirty")), {}), HasSubstr(kNoErrors));
  EXPECT_THAT(verdict_sentence(with(rule("header/dirty")), {.strict = true}), Not(HasSubstr(kNoErrors)));
  for (const RuleId id : {rule("refcount/leak"), rule("refcount/too-low"), rule("snapshot/l1-outside"),
                          rule("l2/outside"), rule("file/unreadable")})
    EXPECT_THAT(verdict_sentence(with(id), {}), Not(HasSubstr(kNoErrors))) << id->id;
  EXPECT_THAT(verdict_sentence(not_qcow2(), {}), Not(HasSubstr(kNoErrors)));
}

TEST(VerdictSentence, says_that_the_data_file_was_not_examined) {
  EXPECT_EQ(verdict_sentence(with(rule("data-file/not-examined")), {}),
            "disk.qcow2: No errors were found on the image, but the data file, which holds the guest's data, "
            "was not examined.");
}

TEST(VerdictSentence, says_how_much_space_is_wasted) {
  EXPECT_EQ(verdict_sentence(with({.rule = rule("refcount/leak"), .place = Place{}, .count = 19}), {}),
            "disk.qcow2 wastes space, but guest data is not at risk: 19 clusters (1.18 MiB) are marked as in "
            "use without need.");
}

TEST(VerdictSentence, names_what_could_not_be_examined_and_what_is_known_of_the_rest) {
  Report report = with(
      {.rule = rule("file/unreadable"), .place = Place{}, .detail = "L2 table cannot be read: I/O error"});
  EXPECT_EQ(verdict_sentence(report, {}),
            "disk.qcow2 could not be examined completely: L2 table cannot be read: I/O error. "
            "What could be examined is in order.");
  add_finding(report, {.rule = rule("l2/outside"), .place = Place{}});
  EXPECT_THAT(verdict_sentence(report, {}),
              HasSubstr("What could be examined is corrupt (1 error): guest data is damaged or at risk."));
}

TEST(VerdictSentence, an_absurd_number_of_leaks_has_no_size) {
  EXPECT_THAT(verdict_sentence(
                  with({.rule = rule("refcount/leak"), .place = Place{}, .count = ~std::uint64_t{0}}), {}),
              HasSubstr("18446744073709551615 clusters are marked"));
}

TEST(WorseExitStatus, follows_the_order_of_precedence_both_ways) {
  constexpr int kOrder[] = {1, 2, 63, 3, 0};
  for (std::size_t a = 0; a < std::size(kOrder); ++a)
    for (std::size_t b = a; b < std::size(kOrder); ++b) {
      EXPECT_EQ(worse_exit_status(kOrder[a], kOrder[b]), kOrder[a]);
      EXPECT_EQ(worse_exit_status(kOrder[b], kOrder[a]), kOrder[a]);
    }
}

}  // namespace
}  // namespace cowvet
