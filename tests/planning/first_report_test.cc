// What the planner found first is what a check finds: nobody has to look twice.
#include <gtest/gtest.h>

#include <algorithm>

#include "checker/device/memory_device.h"
#include "checker/planning/planner.h"
#include "corpus/build.h"
#include "corpus/library.h"

namespace cowvet {
namespace {

bool is_same(const Report& one, const Report& other) {
  return one.findings == other.findings && one.worst == other.worst &&
         one.counters.corruptions == other.counters.corruptions &&
         one.counters.leaks == other.counters.leaks &&
         one.counters.image_end_offset == other.counters.image_end_offset &&
         std::ranges::equal(one.totals, other.totals, [](const RuleTotal& a, const RuleTotal& b) {
           return a.rule == b.rule && a.total == b.total && a.worst == b.worst;
         });
}

TEST(FirstReport, is_that_of_a_check_or_there_is_none) {
  std::size_t known = 0;
  const auto recipes = corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
  for (const corpus::Recipe& recipe : recipes) {
    const corpus::BuiltImage built = corpus::build(recipe).value();
    if (built.image.size() > (1 << 20)) continue;
    const MemoryDevice image(built.image);
    const Inputs inputs{image, {}, {}};
    std::optional<Report> found;
    std::ignore = make_plan(inputs, {.threads = 1}, nullptr, &found);
    if (!found) continue;
    ++known;
    EXPECT_TRUE(is_same(*found, analyze(inputs, {.threads = 1}))) << recipe.name;
  }
  EXPECT_GT(known, 500u);
}

}  // namespace
}  // namespace cowvet
