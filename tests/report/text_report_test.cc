#include "checker/report/text_report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <regex>

#include "checker/report/escape.h"
#include "tests/report/sample_report.h"

namespace cowvet {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Finding copied_finding() {
  return {.rule = rule("l2/copied"),
          .place = Place{.structure = Structure::l2_table,
                         .offset = 0x50088,
                         .length = 8,
                         .l1_index = 0,
                         .l2_index = 17,
                         .guest = GuestRange{0x110000, 0x10000}},
          .expected = 1,
          .found = 2,
          .detail = "COPIED is set on a shared cluster"};
}

TEST(TextReport, of_a_sound_image_is_the_verdict_and_the_statistics) {
  EXPECT_EQ(text_report(sound_report(), {}),
            "disk.qcow2 is sound: No errors were found on the image.\n"
            "\n"
            "4/16 = 25.00% allocated, 25.00% fragmented, 0.00% compressed clusters\n"
            "Image end offset: 393216\n");
}

TEST(TextReport, begins_with_the_verdict) {
  EXPECT_THAT(text_report(with(copied_finding()), {}), StartsWith("disk.qcow2 is damaged (1 error): "));
}

TEST(TextReport, shows_place_guest_range_detail_and_numbers_of_a_finding) {
  EXPECT_THAT(text_report(with(copied_finding()), {}),
              HasSubstr("    L2 table, byte 0x50088, L1 entry 0, L2 entry 17, guest 0x110000-0x11ffff (64 "
                        "KiB at 1.06 MiB)\n"
                        "      COPIED is set on a shared cluster (expected 1, found 2)\n"));
}

TEST(TextReport, shows_owner_and_other_party) {
  Finding finding = copied_finding();
  finding.place.owner = "snapshot 1 (daily)";
  finding.other = Place{.structure = Structure::refcount_block, .offset = 0x20000, .length = 2};
  const std::string text = text_report(with(finding), {});
  EXPECT_THAT(text, HasSubstr("L2 table of snapshot 1 (daily), byte 0x50088"));
  EXPECT_THAT(text, HasSubstr("      other: refcount block, byte 0x20000\n"));
}

TEST(TextReport, names_a_place_in_the_data_file_as_such) {
  Finding finding{.rule = rule("data-file/raw-zero-differs"),
                  .place = Place{.file = File::data_file, .structure = Structure::data, .offset = 0x1000}};
  EXPECT_THAT(text_report(with(finding), {}), HasSubstr("data in the data file, byte 0x1000"));
  finding.place = Place{.file = File::data_file};
  EXPECT_THAT(text_report(with(finding), {}), HasSubstr("\n    data file\n"));
}

TEST(TextReport, counts_exactly_what_it_does_not_show) {
  Report report = sound_report();
  for (std::uint64_t i = 0; i < 30; ++i)
    add_finding(
        report,
        {.rule = rule("refcount/leak"), .place = Place{.offset = i << 16, .length = 1 << 16}, .count = 2});
  report.findings.erase(report.findings.begin() + 25, report.findings.end());  // what the analysis kept

  const auto places = [&](std::uint64_t limit) {
    const std::string text = text_report(report, {.findings_per_rule = limit});
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find("    image, byte ", at)) != std::string::npos; ++at) ++count;
    return count;
  };
  EXPECT_EQ(places(20), 20);
  EXPECT_EQ(places(0), 25);
  EXPECT_THAT(text_report(report, {.findings_per_rule = 20}), HasSubstr("    ... and 10 more\n"));
  EXPECT_THAT(text_report(report, {.findings_per_rule = 0}), HasSubstr("    ... and 5 more\n"));
  EXPECT_THAT(text_report(report, {}), HasSubstr("refcount/leak: leak, found 60 times in 30 places\n"));
}

TEST(TextReport, says_which_data_file_was_used_and_whether_it_was_examined) {
  Report report = sound_report();
  report.header.incompatible_features = kIncompatibleDataFile;
  EXPECT_THAT(text_report(report, {}), HasSubstr("Data file: NOT EXAMINED (the image names none)\n"));
  report.data_file_name = "../x";
  EXPECT_THAT(text_report(report, {}), HasSubstr("Data file: NOT EXAMINED (\"../x\")\n"));
  report.data_file_path = "/srv/x";
  EXPECT_THAT(text_report(report, {}),
              HasSubstr("Data file: /srv/x, its length examined; its content is the guest's own\n"));
  report.header.autoclear_features = kAutoclearRawData;
  EXPECT_THAT(text_report(report, {}),
              HasSubstr("Data file: /srv/x, its length examined, its content NOT EXAMINED\n"));
  report.data_file_examined = true;
  EXPECT_THAT(text_report(report, {}), HasSubstr("Data file: /srv/x, examined\n"));
}

TEST(TextReport, says_that_a_backing_file_was_not_examined) {
  Report report = sound_report();
  report.backing_name = "base\x1b.img";
  EXPECT_THAT(text_report(report, {}), HasSubstr("Backing file: \"base\\x1b.img\", not examined"));
}

TEST(TextReport, shows_the_worst_first_and_the_order_of_the_catalogue_within) {
  Report report = with(rule("header/dirty"));
  for (const RuleId id :
       {rule("l1/copied"), rule("refcount/leak"), rule("file/unreadable"), rule("l2/outside")})
    add_finding(report, {.rule = id});
  EXPECT_THAT(text_report(report, {}),
              ContainsRegex("file/unreadable: (.|\n)*l1/copied: (.|\n)*l2/outside: (.|\n)*"
                            "refcount/leak: (.|\n)*header/dirty: "));
}

TEST(TextReport, gives_advice_of_several_rules_once_when_it_is_the_same) {
  Report report = with(rule("l2/copied"));
  add_finding(report, {.rule = rule("l1/copied"), .place = Place{}});
  ASSERT_EQ(rule("l2/copied")->advice, rule("l1/copied")->advice);
  EXPECT_THAT(text_report(report, {}), HasSubstr("  - l1/copied, l2/copied:"));
}

TEST(TextReport, puts_a_short_detail_on_the_line_of_its_place_and_repeats_no_number) {
  const Finding finding{.rule = rule("refcount/too-low"),
                        .place = Place{.offset = 0x20000, .length = 0x20000},
                        .count = 2,
                        .expected = 1,
                        .found = 0,
                        .detail = "refcount 0, references 1, 2 clusters"};
  EXPECT_THAT(text_report(with(finding), {}),
              HasSubstr("\n    image, byte 0x20000: refcount 0, references 1, 2 clusters\n"));
}

TEST(TextReport, does_not_call_space_waste_that_may_hold_lost_data) {
  const std::string advice(rule("refcount/leak")->advice);
  Report report = with(rule("refcount/leak"));
  const auto flat = [&] { return std::regex_replace(text_report(report, {}), std::regex("\n +"), " "); };
  EXPECT_THAT(flat(), HasSubstr(advice));
  add_finding(report, {.rule = rule("l2/outside")});
  EXPECT_THAT(flat(), Not(HasSubstr(advice)));
  EXPECT_THAT(flat(), HasSubstr("refcount/leak: Do not free this space before the damage is repaired"));
}

TEST(TextReport, colours_only_when_asked) {
  EXPECT_THAT(text_report(with(copied_finding()), {}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(text_report(sound_report(), {.colour = true}), StartsWith("\x1b[1;32mdisk.qcow2"));
  EXPECT_THAT(text_report(with(copied_finding()), {.colour = true}), StartsWith("\x1b[1;31mdisk.qcow2"));
}

TEST(TextReport, lets_no_name_reach_the_terminal_unescaped) {
  EXPECT_TRUE(rc::check([](const std::string& name) {
    Report report = with({.rule = rule("l2/copied"), .place = Place{.owner = name}, .detail = name});
    report.image_name = report.data_file_name = name;
    report.header.incompatible_features = kIncompatibleDataFile;
    for (const unsigned char c : text_report(report, {})) RC_ASSERT(c == '\n' || (c >= 0x20 && c != 0x7f));
  }));
}

}  // namespace
}  // namespace cowvet
