// Histories that nobody thought of: random writes, snapshots and resizes. The checker must find nothing wrong
// with any of them, nor must QEMU.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "corpus/compare_findings.h"
#include "corpus/examine.h"
#include "tests/corpus/qemu_agrees.h"
#include "tests/corpus/random_image.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

TEST(RandomImages, have_nothing_that_the_checker_finds_wrong) {
  EXPECT_TRUE(rc::check([] {
    const std::string body = RandomImage().body();
    const Recipe recipe = parse_one(body + "check deep");
    const auto built = build(recipe);
    if (!built) RC_FAIL(built.error().text() + "\n" + body);
    const Report report = examine(recipe, *built, 1);
    for (const Finding& finding : report.findings)
      if (finding.severity != Severity::notice) RC_FAIL(describe(finding) + "\n" + body);
  }));
}

TEST(RandomImages, are_what_qemu_reads) {
  // QEMU is slow: it sees some of the images.
  constexpr int kImages = 25;
  int count = 0;
  EXPECT_TRUE(rc::check([&count] {
    RandomImage image;
    if (++count > kImages || testing::Test::HasFailure()) return;
    expect_qemu_agrees(parse_one(image.body()));
  }));
}

}  // namespace
}  // namespace cowvet::corpus
