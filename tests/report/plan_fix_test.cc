#include "checker/report/plan_fix.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "checker/device/memory_device.h"

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

Plan plan_of(const std::vector<std::pair<std::uint64_t, Bytes>>& writes) {
  Plan plan;
  for (const auto& [offset, bytes] : writes)
    plan.steps.push_back({.rule = rule("l2/copied"), .writes = {{.offset = offset, .new_bytes = bytes}}});
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

Plan plan_with_copy(File target) {
  Plan plan;
  plan.steps.push_back({.rule = rule("l2/cross-linked"),
                        .writes = {{.target = target, .offset = 0, .new_bytes = Content::original(40, 8)}}});
  return plan;
}

TEST(PlanFix, holds_what_the_plan_names_by_its_place) {
  Bytes image(64, std::byte{1});
  std::ranges::fill(std::span(image).subspan(40, 8), std::byte{2});
  const MemoryDevice device(image);
  Plan plan = plan_with_copy(File::image);
  EXPECT_FALSE(replacements_of(plan, File::image, 64, 64, 100).has_value());
  EXPECT_TRUE(hold_originals(plan, device, nullptr, 8));
  const auto replacements = replacements_of(plan, File::image, 64, 64, 100);
  ASSERT_TRUE(replacements.has_value());
  ASSERT_EQ(replacements->size(), 1u);
  EXPECT_EQ(replacements->front().inserted, Bytes(8, std::byte{2}));
}

TEST(PlanFix, holds_what_is_copied_in_the_data_file) {
  const MemoryDevice image(Bytes(64, std::byte{1}));
  const MemoryDevice data_file(Bytes(64, std::byte{3}));
  Plan plan = plan_with_copy(File::data_file);
  EXPECT_FALSE(hold_originals(plan, image, nullptr, 100)) << "there is no data file";
  EXPECT_TRUE(hold_originals(plan, image, &data_file, 100));
  EXPECT_EQ(replacements_of(plan, File::data_file, 64, 64, 100)->front().inserted, Bytes(8, std::byte{3}));
}

TEST(PlanFix, holds_no_more_than_it_may) {
  const MemoryDevice device(Bytes(64, std::byte{1}));
  Plan plan = plan_with_copy(File::image);
  EXPECT_TRUE(hold_originals(plan, device, nullptr, 7));
  EXPECT_TRUE(plan.steps[0].writes[0].new_bytes.has_original());
}

TEST(PlanFix, leaves_out_what_is_written_to_another_file) {
  EXPECT_TRUE(
      replacements_of(plan_of({{0, Bytes(8, std::byte{1})}}), File::data_file, 1000, 1000, 100)->empty());
}

}  // namespace
}  // namespace cowvet
