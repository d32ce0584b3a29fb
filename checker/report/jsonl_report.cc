#include "checker/report/jsonl_report.h"

#include "checker/report/json_values.h"

namespace cowvet {
namespace {

std::string verdict_line(const OrderedJson& head) {
  OrderedJson line = {{"type", "verdict"}};
  line.update(head);
  return dump_json(line) + '\n';
}

}  // namespace

std::string jsonl_report(const Report& report, Judging judging) {
  std::string text;
  for (const Finding& finding : report.findings) {
    OrderedJson line = {{"type", "finding"}, {"filename", report.image_name}};
    line.update(finding_json(finding));
    text += dump_json(line) + '\n';
  }
  return text + verdict_line(head_json(report, judging));
}

std::string jsonl_failure(std::string_view image_name, std::string_view error) {
  return verdict_line(failure_json(image_name, error));
}

}  // namespace cowvet
