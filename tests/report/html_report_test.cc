#include "checker/report/html_report.h"

#include <gmock/gmock.h>

#include "checker/analysis/passes.h"
#include "corpus/examine.h"
#include "corpus/library.h"
#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(HtmlReport, of_every_image_of_the_corpus_names_the_rules_that_it_breaks) {
  const auto recipes = corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
  for (const corpus::Recipe& recipe : recipes) {
    const corpus::BuiltImage built = corpus::build(recipe).value();
    corpus::with_inputs(recipe, built, [&](const Inputs& inputs) {
      const Options options{.threads = 1};
      Progress progress;
      Context context(inputs, options, progress);
      run_passes(context);
      const Report report = finish_report(context);
      const std::string page = html_report(context, report, {}, {});
      EXPECT_LT(page.size(), 300U << 10) << recipe.name;
      EXPECT_TRUE(page.ends_with("</html>\n"));
      for (const RuleTotal& total : report.totals)
        EXPECT_THAT(page, HasSubstr("<h3>" + std::string(total.rule->id) + " ")) << recipe.name;
    });
  }
}

// As much of everything as an image can bring, in the characters that are longest when they are escaped.
TEST(HtmlReport, stays_below_its_bound_whatever_the_image_holds) {
  MappedImage image(std::uint64_t{1} << 33);
  for (std::uint64_t i = 0; i < 512; ++i) image.map(i, 0);
  Examination examination(image);
  Context& context = examination.context;
  run_passes(context);
  const std::string name(65535, '"');
  for (int i = 0; i < 200; ++i) {
    context.snapshots.push_back({.snapshot = {.id = name, .name = name}});
    context.bitmaps.push_back({.bitmap = {.name = name}});
  }
  Report report = finish_report(context);
  report.image_name = report.backing_name = report.backing_format = name;
  for (std::uint64_t i = 0; i < 500; ++i)
    report.findings.push_back(
        {.rule = rule("l2/outside"), .place = {.offset = i, .owner = name}, .detail = name});
  report.totals.push_back({.rule = rule("l2/outside"), .findings = 500, .total = 500});
  const std::string page = html_report(context, report, {}, {});
  EXPECT_GT(page.size(), 600U << 10);
  EXPECT_LT(page.size(), kMostPageBytes);
  EXPECT_THAT(page, HasSubstr("lists all"));
  EXPECT_THAT(page, HasSubstr("and 100 more"));
}

TEST(HtmlReport, holds_no_tag_of_the_image) {
  Examination examination{MappedImage()};
  run_passes(examination.context);
  const std::string evil = "<script>alert(1)</script>";
  examination.context.snapshots.push_back({.snapshot = {.id = evil, .name = evil}});
  examination.context.bitmaps.push_back({.bitmap = {.name = evil}});
  Report report = finish_report(examination.context);
  report.image_name = evil;
  report.backing_name = report.backing_format = evil;
  report.findings.push_back({.rule = rule("l2/outside"), .place = {.owner = evil}, .detail = evil});
  report.totals.push_back({.rule = rule("l2/outside"), .findings = 1, .total = 1});
  const std::string page = html_report(examination.context, report, {}, {});
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
}

}  // namespace
}  // namespace cowvet
