// Names that try to leave the document that they are written into.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "checker/report/junit_report.h"
#include "checker/report/report_writer.h"
#include "checker/report/sarif_uri.h"
#include "tests/report/sample_report.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

using testing::HasSubstr;

constexpr const char* kName = "]]>\"'&<!--\x01\xff\xef\xbf\xbf\n\xe2\x80\xae %41</testsuite>.qcow2";

std::string document(ReportFormat format) {
  Report report = with({.rule = rule("snapshot/duplicate-id"),
                        .place = {.structure = Structure::snapshot_table, .offset = 5, .owner = kName},
                        .detail = kName});
  report.image_name = kName;
  const auto writer = make_report_writer({.format = format});
  std::string text = writer->begin();
  text += writer->image(report, nullptr);
  text += writer->failure(kName, kName);
  return text + writer->end();
}

TEST(HostileNames, stay_inside_their_json_strings) {
  const auto log = nlohmann::json::parse(document(ReportFormat::sarif));
  const auto& run = log["runs"][0];
  EXPECT_EQ(run["artifacts"][0]["location"]["uri"],
            "%5D%5D%3E%22%27%26%3C%21--%01%FF%EF%BF%BF%0A%E2%80%AE%20%2541%3C/testsuite%3E.qcow2");
  EXPECT_THAT(run["results"][0]["message"]["text"], HasSubstr("\\x01\\xff"));
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
}

TEST(HostileNames, stay_inside_their_xml_attributes) {
  const TemporaryDirectory directory;
  std::ofstream(directory.file("report.xml")) << document(ReportFormat::junit);
  EXPECT_EQ(run_script("xmllint --noout report.xml", directory.path()).err, "");
  const CommandResult names = run_script(
      "xmllint --xpath 'count(//testsuite)' report.xml; xmllint --xpath 'count(//testcase)' report.xml",
      directory.path());
  EXPECT_EQ(names.out, "2\n3\n");
}

TEST(FileUri, is_absolute_only_for_absolute_paths) {
  EXPECT_EQ(file_uri("a b/c.qcow2"), "a%20b/c.qcow2");
  EXPECT_EQ(file_uri("c:d"), "c%3Ad");
  EXPECT_EQ(file_uri("/srv/x"), "file:///srv/x");
  EXPECT_EQ(file_uri("//host/x"), "file:///host/x");
}

}  // namespace
}  // namespace cowvet
