// Reports of one image or of several, in any of the formats, written one image at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "checker/analysis/analyze.h"
#include "checker/planning/plan.h"
#include "checker/report/text_report.h"

namespace cowvet {

enum class ReportFormat : std::uint8_t { human, json, jsonl, junit, sarif };

struct ReportStyle {
  ReportFormat format = ReportFormat::human;
  bool several = false;  // images; json: a line each instead of a document
  TextOptions text;      // the judging counts for all formats
};

// Each member gives text to be written; what all of them give, in this order, is one valid document (json:
// for one image).
class ReportWriter {
 public:
  ReportWriter() = default;
  ReportWriter(const ReportWriter&) = delete;
  ReportWriter& operator=(const ReportWriter&) = delete;
  virtual ~ReportWriter() = default;

  virtual std::string begin() { return ""; }
  // `plan` may be null.
  virtual std::string image(const Report& report, const Plan* plan) = 0;
  // Stands for an image that could not even be opened.
  virtual std::string failure(std::string_view image_name, std::string_view error) = 0;
  virtual std::string end() { return ""; }
};

std::unique_ptr<ReportWriter> make_report_writer(const ReportStyle& style);

}  // namespace cowvet
