#include "checker/report/report_writer.h"

#include <fmt/format.h>

#include <utility>

#include "checker/report/json_report.h"
#include "checker/report/jsonl_report.h"
#include "checker/report/junit_report.h"
#include "checker/report/sarif_report.h"

namespace cowvet {
namespace {

class HumanReports final : public ReportWriter {
 public:
  explicit HumanReports(const TextOptions& options) : options_(options) {}
  std::string image(const Report& report, const Plan* /*plan*/) override {
    return fmt::format("{}{}", std::exchange(first_, false) ? "" : "\n", text_report(report, options_));
  }
  // The message has gone to standard error.
  std::string failure(std::string_view /*image_name*/, std::string_view /*error*/) override { return ""; }

 private:
  TextOptions options_;
  bool first_ = true;
};

class JsonReports final : public ReportWriter {
 public:
  JsonReports(Judging judging, JsonLayout layout) : judging_(judging), layout_(layout) {}
  std::string image(const Report& report, const Plan* /*plan*/) override {
    return json_report(report, judging_, layout_);
  }
  std::string failure(std::string_view image_name, std::string_view error) override {
    return json_failure(image_name, error, layout_);
  }

 private:
  Judging judging_;
  JsonLayout layout_;
};

class JsonLines final : public ReportWriter {
 public:
  explicit JsonLines(Judging judging) : judging_(judging) {}
  std::string image(const Report& report, const Plan* /*plan*/) override {
    return jsonl_report(report, judging_);
  }
  std::string failure(std::string_view image_name, std::string_view error) override {
    return jsonl_failure(image_name, error);
  }

 private:
  Judging judging_;
};

class JunitReports final : public ReportWriter {
 public:
  explicit JunitReports(Judging judging) : judging_(judging) {}
  std::string begin() override { return junit_begin(); }
  std::string image(const Report& report, const Plan* /*plan*/) override {
    return junit_suite(report, judging_);
  }
  std::string failure(std::string_view image_name, std::string_view error) override {
    return junit_failure(image_name, error);
  }
  std::string end() override { return junit_end(); }

 private:
  Judging judging_;
};

class SarifReports final : public ReportWriter {
 public:
  explicit SarifReports(Judging judging) : sarif_(judging) {}
  std::string begin() override { return sarif_.begin(); }
  std::string image(const Report& report, const Plan* plan) override { return sarif_.image(report, plan); }
  std::string failure(std::string_view image_name, std::string_view error) override {
    return sarif_.failure(image_name, error);
  }
  std::string end() override { return sarif_.end(); }

 private:
  SarifWriter sarif_;
};

}  // namespace

std::unique_ptr<ReportWriter> make_report_writer(const ReportStyle& style) {
  const Judging judging = style.text.judging;
  switch (style.format) {
    case ReportFormat::human:
      break;
    case ReportFormat::json:
      return std::make_unique<JsonReports>(judging, style.several ? JsonLayout::line : JsonLayout::document);
    case ReportFormat::jsonl:
      return std::make_unique<JsonLines>(judging);
    case ReportFormat::junit:
      return std::make_unique<JunitReports>(judging);
    case ReportFormat::sarif:
      return std::make_unique<SarifReports>(judging);
  }
  return std::make_unique<HumanReports>(style.text);
}

}  // namespace cowvet
