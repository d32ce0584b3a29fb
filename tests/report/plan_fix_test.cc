#include "checker/report/plan_fix.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

Plan plan_of(const std::vector<std::pair<std::uint64_t, Bytes>>& writes) {
  Plan plan;
  for (const auto& [offset, bytes] : writes)
    plan.steps.push_back(
        {.rule = rule("l2/copied"),
         .writes = {{.offset = offset, .new_bytes = bytes}}});
  return plan;
}

Bytes random_bytes(std::size_t length) {
  const auto numbers =
      *rc::gen::container<std::vector<std::uint8_t>>(length, rc::gen::arbitrary<std::uint8_t>());
  const auto bytes = std::as_bytes(std::span(numbers));
  return {bytes.begin(), bytes.end()};
}

TEST(PlanFix, has_the_effect_of_all_writes_in_their_order) {
  EXPECT_TRUE(rc::check([] {
    const Bytes file = random_bytes(*rc::gen::inRange<std::size_t>(0, 60));
    auto expected = file;
    for (int i = *rc::gen::inRange(0, 20); i > 0; --i) expected.push_back(std::byte{0});
    std::vector<std::pair<std::uint64_t, Bytes>> writes;
    for (int i = *rc::gen::inRange(0, 12); i > 0 && !expected.empty(); --i) {
      const auto offset = *rc::gen::inRange<std::size_t>(0, expected.size());
      const auto length =
          *rc::gen::inRange<std::size_t>(0, std::min<std::size_t>(12, expected.size() - offset + 1));
      const Bytes bytes = random_bytes(length);
      std::ranges::copy(bytes, expected.begin() + static_cast<std::ptrdiff_t>(offset));
      writes.emplace_back(offset, bytes);
    }
    const auto replacements =
        replacements_of(plan_of(writes), File::image, file.size(), expected.size(), 1 << 20);
    RC_ASSERT(replacements.has_value());
    Bytes fixed;
    std::uint64_t at = 0;
    for (const Replacement& replacement : *replacements) {
      RC_ASSERT(replacement.offset >= at);
      RC_ASSERT(replacement.offset + replacement.deleted_bytes <= file.size());
      fixed.insert(fixed.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
                   file.begin() + static_cast<std::ptrdiff_t>(replacement.offset));
      fixed.insert(fixed.end(), replacement.inserted.begin(), replacement.inserted.end());
      at = replacement.offset + replacement.deleted_bytes;
    }
    fixed.insert(fixed.end(), file.begin() + static_cast<std::ptrdiff_t>(at), file.end());
    RC_ASSERT(fixed == expected);
  }));
}

TEST(PlanFix, is_not_made_for_plans_that_change_too_much) {
  const Plan plan = plan_of({{0, Bytes(100, std::byte{1})}});
  EXPECT_TRUE(replacements_of(plan, File::image, 1000, 1000, 100).has_value());
  EXPECT_FALSE(replacements_of(plan, File::image, 1000, 1000, 99).has_value());
  EXPECT_FALSE(replacements_of(plan, File::image, 1000, 1001, 100).has_value());
}

TEST(PlanFix, leaves_out_what_is_written_to_another_file) {
  EXPECT_TRUE(replacements_of(plan_of({{0, Bytes(8, std::byte{1})}}), File::data_file, 1000, 1000, 100)->empty());
}

}  // namespace
}  // namespace cowvet
