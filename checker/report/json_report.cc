#include "checker/report/json_report.h"

#include "checker/report/json_values.h"

namespace cowvet {
namespace {

constexpr int kIndent = 4;

// `head` and the findings as its last member. A report may hold millions of findings, so that they are not
// kept a second time as JSON values.
std::string assemble(const OrderedJson& head, const std::vector<Finding>& findings, JsonLayout layout) {
  const bool lines = layout == JsonLayout::document;
  std::string text = dump_json(head, lines ? kIndent : -1);
  text.resize(text.size() - (lines ? 2 : 1));  // the closing brace, and the line feed before it
  text += lines ? ",\n    \"findings\": [" : ",\"findings\":[";
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (i != 0) text += ',';
    if (lines) text += "\n        ";
    text += dump_json(finding_json(findings[i]));
  }
  if (lines && !findings.empty()) text += "\n    ";
  return text + (lines ? "]\n}\n" : "]}\n");
}

}  // namespace

std::string json_report(const Report& report, Judging judging, JsonLayout layout) {
  return assemble(head_json(report, judging), report.findings, layout);
}

std::string json_failure(std::string_view image_name, std::string_view error, JsonLayout layout) {
  return assemble(failure_json(image_name, error), {}, layout);
}

}  // namespace cowvet
