// One report of every recipe of the corpus, read by programs that others wrote.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "checker/report/report_writer.h"
#include "corpus/examine.h"
#include "corpus/library.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

struct Corpus {
  std::vector<Report> reports;
  std::size_t findings = 0;
};

const Corpus& corpus() {
  static const Corpus all = [] {
    Corpus made;
    const auto recipes = corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
    for (const corpus::Recipe& recipe : recipes) {
      made.reports.push_back(corpus::examine(recipe, corpus::build(recipe).value(), 1));
      made.reports.back().image_name = recipe.name + ".qcow2";
      made.findings += made.reports.back().findings.size();
    }
    return made;
  }();
  return all;
}

class WholeCorpus : public testing::Test {
 protected:
  void write(ReportFormat format) const {
    std::ofstream out(directory_.file("report"));
    const auto writer = make_report_writer({.format = format, .several = true});
    out << writer->begin();
    for (const Report& report : corpus().reports) out << writer->image(report, nullptr);
    out << writer->failure("missing.qcow2", "No such file") << writer->end();
  }
  CommandResult read(const std::string& script) const {
    return run_script("/usr/bin/python3 '" COWVET_SOURCE_DIR "/tests/report/" + script + "' report",
                      directory_.path());
  }

  TemporaryDirectory directory_;
};

TEST_F(WholeCorpus, is_one_sarif_log_with_a_result_for_each_finding) {
  write(ReportFormat::sarif);
  const CommandResult result = read("read_sarif.py");
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, std::to_string(corpus().findings) + "\n");
}

TEST_F(WholeCorpus, is_one_junit_document_with_a_test_for_each_broken_rule) {
  write(ReportFormat::junit);
  const CommandResult result = read("read_junit.py");
  ASSERT_EQ(result.status, 0) << result.err;
  std::ostringstream expected;
  for (const Report& report : corpus().reports) {
    const int status = exit_status_of(report, {});
    expected << report.image_name << "|verdict|"
             << (status == 0                  ? "passed"
                 : status == 2 || status == 3 ? "failure"
                                              : "error")
             << '\n';
    for (const RuleTotal& total : report.totals)
      expected << report.image_name << '|' << total.rule->id << '|'
               << (total.worst == Severity::notice      ? "passed"
                   : total.worst == Severity::unchecked ? "error"
                                                        : "failure")
               << '\n';
  }
  expected << "missing.qcow2|verdict|error\n";
  EXPECT_EQ(result.out, expected.str());
}

TEST_F(WholeCorpus, is_a_json_line_for_each_finding_and_each_image) {
  write(ReportFormat::jsonl);
  std::ifstream in(directory_.file("report"));
  std::size_t findings = 0;
  std::size_t verdicts = 0;
  std::size_t of_image = 0;
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line);
    if (json["type"] == "finding") {
      ++findings;
      ++of_image;
      continue;
    }
    ASSERT_EQ(json["type"], "verdict");
    if (verdicts < corpus().reports.size()) {
      EXPECT_EQ(of_image, corpus().reports[verdicts].findings.size());
      EXPECT_EQ(json["filename"], corpus().reports[verdicts].image_name);
    }
    of_image = 0;
    ++verdicts;
  }
  EXPECT_EQ(findings, corpus().findings);
  EXPECT_EQ(verdicts, corpus().reports.size() + 1);
}

}  // namespace
}  // namespace cowvet
