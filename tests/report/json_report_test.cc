#include "checker/report/json_report.h"

#include <gmock/gmock.h>
#include <rapidcheck.h>

#include <nlohmann/json.hpp>

#include "tests/report/sample_report.h"

namespace cowvet {
namespace {

using nlohmann::json;

json parsed(const Report& report, Judging judging = {}, JsonLayout layout = JsonLayout::document) {
  return json::parse(json_report(report, judging, layout));
}

TEST(JsonReport, has_every_counter_even_where_it_is_zero) {
  const json document = parsed(sound_report());
  EXPECT_EQ(document["filename"], "disk.qcow2");
  EXPECT_EQ(document["format"], "qcow2");
  EXPECT_EQ(document["check-errors"], 0);
  EXPECT_EQ(document["image-end-offset"], 0x60000);
  EXPECT_EQ(document["corruptions"], 0);
  EXPECT_EQ(document["leaks"], 0);
  EXPECT_EQ(document["total-clusters"], 16);
  EXPECT_EQ(document["allocated-clusters"], 4);
  EXPECT_EQ(document["fragmented-clusters"], 1);
  EXPECT_EQ(document["compressed-clusters"], 0);
  EXPECT_EQ(document["notices"], 0);
  EXPECT_EQ(document["verdict"], "sound");
  EXPECT_EQ(document["status"], 0);
  EXPECT_EQ(document["findings"], json::array());
}

TEST(JsonReport, has_everything_that_a_finding_holds) {
  const json document = parsed(with({.rule = rule("l2/cross-linked"),
                                     .place = Place{.structure = Structure::l2_table,
                                                    .offset = 0x50088,
                                                    .length = 8,
                                                    .l1_index = 0,
                                                    .l2_index = 17,
                                                    .guest = GuestRange{0x110000, 0x10000},
                                                    .owner = "snapshot 1 (daily)"},
                                     .other = Place{.file = File::data_file, .offset = 5},
                                     .count = 3,
                                     .expected = 1,
                                     .found = ~std::uint64_t{0},
                                     .detail = "shared"}));
  EXPECT_EQ(document["findings"], json::parse(R"json([{
      "rule": "l2/cross-linked", "severity": "corruption", "file": "image", "structure": "L2 table",
      "offset": 327816, "length": 8, "l1-index": 0, "l2-index": 17, "guest-offset": 1114112,
      "guest-length": 65536, "owner": "snapshot 1 (daily)",
      "other": {"file": "data-file", "structure": "file", "offset": 5, "length": 0, "l1-index": null,
                "l2-index": null, "guest-offset": null, "guest-length": null, "owner": ""},
      "count": 3, "expected": 1, "found": 18446744073709551615, "remedy": "choice", "detail": "shared"}])json"));
  EXPECT_EQ(document["rules"], json::parse(R"([{"rule": "l2/cross-linked", "severity": "corruption",
      "remedy": "choice", "count": 3, "findings": 1, "findings-listed": 1}])"));
  EXPECT_EQ(document["verdict"], "guest-data-at-risk");
  EXPECT_EQ(document["status"], 2);
}

TEST(JsonReport, tells_listed_findings_from_counted_ones) {
  Report report = with({.rule = rule("refcount/leak"), .place = Place{}, .count = 4});
  add_finding(report, {.rule = rule("refcount/leak"), .place = Place{}, .count = 2});
  report.findings.pop_back();
  const json total = parsed(report)["rules"][0];
  EXPECT_EQ(total["count"], 6);
  EXPECT_EQ(total["findings"], 2);
  EXPECT_EQ(total["findings-listed"], 1);
}

TEST(JsonReport, names_data_file_and_backing_file) {
  Report report = sound_report();
  EXPECT_TRUE(parsed(report)["data-file"].is_null());
  EXPECT_TRUE(parsed(report)["backing-file"].is_null());
  report.header.incompatible_features = kIncompatibleDataFile;
  report.data_file_name = "d.raw";
  report.backing_name = "base";
  report.backing_format = "raw";
  EXPECT_EQ(parsed(report)["data-file"],
            json::parse(R"({"name": "d.raw", "path": null, "examined": false})"));
  EXPECT_EQ(parsed(report)["backing-file"], json::parse(R"({"name": "base", "format": "raw", "examined": false})"));
}

TEST(JsonReport, both_layouts_hold_the_same_and_a_line_is_one_line) {
  Report report = with(rule("l2/copied"));
  add_finding(report, {.rule = rule("refcount/leak"), .place = Place{}});
  EXPECT_EQ(parsed(report), parsed(report, {}, JsonLayout::line));
  const std::string line = json_report(report, {}, JsonLayout::line);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(JsonReport, puts_each_finding_on_a_line_of_its_own) {
  Report report = with(rule("l2/copied"));
  add_finding(report, {.rule = rule("refcount/leak"), .place = Place{}});
  EXPECT_THAT(json_report(report, {}, JsonLayout::document),
              testing::ContainsRegex("\n        \\{\"rule\":\"l2/copied\".*\\},\n        "
                                     "\\{\"rule\":\"refcount/leak\".*\\}\n    \\]\n\\}\n$"));
}

TEST(JsonReport, survives_any_name_and_is_ascii) {
  EXPECT_TRUE(rc::check([](const std::string& name) {
    Report report = with({.rule = rule("l2/copied"), .place = Place{.owner = name}, .detail = name});
    report.image_name = report.backing_name = report.backing_format = name;
    const std::string text = json_report(report, {}, JsonLayout::document);
    RC_ASSERT(json::accept(text));
    for (const unsigned char c : text) RC_ASSERT(c == '\n' || (c >= 0x20 && c <= 0x7f));
  }));
}

TEST(JsonReport, keeps_names_that_are_utf8) {
  Report report = sound_report();
  report.image_name = "a\xc3\xa4\n\"\xe2\x82\xac";
  EXPECT_EQ(parsed(report)["filename"], report.image_name);
  report.image_name = "a\xff";
  EXPECT_EQ(parsed(report)["filename"], "a\xef\xbf\xbd");
}

TEST(JsonFailure, is_a_document_with_status_1_and_every_key_of_a_report) {
  const json failure = json::parse(json_failure("x", "cannot open", JsonLayout::line));
  EXPECT_EQ(failure["filename"], "x");
  EXPECT_EQ(failure["status"], 1);
  EXPECT_EQ(failure["verdict"], "incomplete");
  EXPECT_EQ(failure["summary"], "cannot open");
  EXPECT_EQ(failure["check-errors"], 1);
  const json report = parsed(sound_report());
  for (const auto& [key, value] : report.items()) EXPECT_TRUE(failure.contains(key)) << key;
}

}  // namespace
}  // namespace cowvet
