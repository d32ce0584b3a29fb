#include "checker/report/junit_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "checker/report/advice.h"
#include "checker/report/escape.h"
#include "checker/report/numbers.h"
#include "checker/report/place_text.h"

namespace cowvet {
namespace {

// XML 1.0 has no way at all to write control characters and U+FFFE, U+FFFF. Line feeds of our own are kept.
std::string xml_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view three = text.substr(i, 3);
    if (three == "\xef\xbf\xbe" || three == "\xef\xbf\xbf") {
      out += "\xef\xbf\xbd";
      i += 2;
    } else if (text[i] == '&') {
      out += "&amp;";
    } else if (text[i] == '<') {
      out += "&lt;";
    } else if (text[i] == '>') {
      out += "&gt;";
    } else if (text[i] == '"') {
      out += "&quot;";
    } else {
      out += text[i];
    }
  }
  return out;
}

// A name from outside, on one line.
std::string xml_name(std::string_view name) {
  return xml_text(escape_for_terminal(name));
}

enum class Outcome : std::uint8_t { passed, failure, error };

struct Test {
  std::string name;
  Outcome outcome = Outcome::passed;
  std::string type;     // of the trouble
  std::string message;  // one line
  std::string text;     // lines
};

Outcome outcome_of(Severity severity, bool strict) {
  if (severity == Severity::unchecked) return Outcome::error;
  return severity == Severity::notice && !strict ? Outcome::passed : Outcome::failure;
}

Outcome outcome_of(int exit_status) {
  if (exit_status == kExitSound) return Outcome::passed;
  return exit_status == kExitCorrupt || exit_status == kExitLeaks ? Outcome::failure : Outcome::error;
}

Test test_of(const Report& report, const RuleTotal& total, Judging judging) {
  Test test{.name = std::string(total.rule->id),
            .outcome = outcome_of(total.worst, judging.strict),
            .type = std::string(to_string(total.worst)),
            .message = std::string(total.rule->condition)};
  const auto kept = std::ranges::equal_range(report.findings, total.rule, {}, &Finding::rule);
  for (const Finding& finding : kept) test.text += describe(finding, 0);
  if (kept.size() < total.findings)
    test.text += fmt::format("... and {} more\n", total.findings - kept.size());
  test.text += fmt::format("{}\n{}\n", total.rule->meaning, advice_of(total, report));
  return test;
}

std::string test_xml(const Test& test, const std::string& suite) {
  std::string xml = fmt::format(R"(    <testcase classname="{}" name="{}" time="0")", suite, test.name);
  if (test.outcome == Outcome::passed)
    return xml + (test.text.empty() ? "/>\n"
                                    : fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n",
                                                  xml_text(test.text)));
  const std::string_view element = test.outcome == Outcome::error ? "error" : "failure";
  return xml + fmt::format(">\n      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n    </testcase>\n", element,
                           test.type, xml_text(test.message), xml_text(test.text));
}

std::string property_xml(const std::string& name, std::string_view value) {
  return fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, xml_name(value));
}

// What --evidence keeps of the files, numbered.
std::string properties_xml(const std::vector<Evidence>& files) {
  if (files.empty()) return "";
  std::string xml = "    <properties>\n";
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Evidence& evidence = files[i];
    const std::string prefix = fmt::format("evidence.{}.", i + 1);
    xml += property_xml(prefix + "file", to_string(evidence.file)) +
           property_xml(prefix + "path", evidence.path) +
           property_xml(prefix + "sha256-before", evidence.before.sha256) +
           property_xml(prefix + "sha256-after", evidence.after.sha256) +
           property_xml(prefix + "changed", evidence.changed() ? "true" : "false");
  }
  return xml + "    </properties>\n";
}

std::string suite_xml(std::string_view image_name, const std::vector<Test>& tests,
                      const std::vector<Evidence>& evidence = {}) {
  const std::string suite = xml_name(image_name);
  std::string xml = fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\" time=\"0\">\n",
      suite, tests.size(), std::ranges::count(tests, Outcome::failure, &Test::outcome),
      std::ranges::count(tests, Outcome::error, &Test::outcome));
  xml += properties_xml(evidence);
  for (const Test& test : tests) xml += test_xml(test, suite);
  return xml + "  </testsuite>\n";
}

}  // namespace

std::string junit_begin() {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cowvet\">\n";
}

std::string junit_end() {
  return "</testsuites>\n";
}

std::string junit_suite(const Report& report, Judging judging) {
  std::vector<Test> tests = {{.name = "verdict",
                              .outcome = outcome_of(exit_status_of(report, judging)),
                              .type = std::string(to_string(verdict_of(report))),
                              .message = verdict_sentence(report, judging)}};
  for (const RuleTotal& total : report.totals) tests.push_back(test_of(report, total, judging));
  return suite_xml(report.image_name, tests, report.evidence);
}

std::string junit_failure(std::string_view image_name, std::string_view error) {
  const Test test{.name = "verdict",
                  .outcome = Outcome::error,
                  .type = std::string(to_string(Verdict::incomplete)),
                  .message = escape_for_terminal(error)};
  return suite_xml(image_name, {test});
}

}  // namespace cowvet
