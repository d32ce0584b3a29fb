// What a plan holds itself, what it names, and that what it names must still be what it was.
#include "checker/planning/planned_files.h"

#include <gtest/gtest.h>

#include <random>

#include "checker/device/memory_device.h"
#include "checker/planning/editor.h"

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t kCluster = 65536;

Bytes noise(std::size_t length) {
  std::mt19937_64 random(length);
  Bytes bytes(length);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

// Copies the second cluster of four behind the end, and then writes to where it was.
Plan plan_with_copy(const Bytes& image, std::uint64_t most_held_bytes) {
  const MemoryDevice device(image);
  Editor editor(device, nullptr, most_held_bytes);
  editor.begin(rule("l2/cross-linked"), Remedy::choice, "copy", Phase::structures);
  editor.copy(File::image, kCluster, 4 * kCluster, kCluster);
  editor.begin(rule("l2/cross-linked"), Remedy::choice, "write");
  editor.write(File::image, kCluster, Bytes(kCluster, std::byte{7}));
  Plan plan{.image_bytes_after = editor.image().size_bytes()};
  plan.steps = editor.take_steps();
  return plan;
}

std::uint64_t held_bytes(const Plan& plan) {
  std::uint64_t held = 0;
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes)
      held += write.old_bytes.held_bytes() + write.new_bytes.held_bytes();
  return held;
}

TEST(PlannedFiles, are_the_same_whether_the_plan_holds_or_names_what_it_copies) {
  const Bytes image = noise(4 * kCluster);
  Bytes expected = image;
  expected.insert(expected.end(), image.begin() + kCluster, image.begin() + 2 * kCluster);
  std::fill_n(expected.begin() + kCluster, kCluster, std::byte{7});
  for (const std::uint64_t most_held_bytes : {std::uint64_t{0}, 10 * kCluster}) {
    const Plan plan = plan_with_copy(image, most_held_bytes);
    ASSERT_EQ(plan.steps.size(), 2u);
    EXPECT_EQ(plan.steps[0].writes[0].new_bytes.has_original(), most_held_bytes == 0);
    EXPECT_EQ(held_bytes(plan), most_held_bytes == 0 ? 0 : 2 * kCluster);
    const MemoryDevice device(image);
    PlannedFiles files(device, nullptr);
    EXPECT_EQ(files.apply(plan), "");
    Bytes bytes(expected.size());
    ASSERT_TRUE(files.image().read(0, bytes));
    EXPECT_TRUE(bytes == expected);
  }
}

TEST(PlannedFiles, are_refused_when_what_the_plan_names_has_changed) {
  Bytes image = noise(4 * kCluster);
  const Plan plan = plan_with_copy(image, 0);
  image[2 * kCluster - 1] ^= std::byte{1};
  const MemoryDevice device(image);
  EXPECT_EQ(PlannedFiles(device, nullptr).apply(plan),
            "memory has changed at 0x10000 since the plan was made");
}

TEST(PlannedFiles, are_refused_when_the_plan_does_not_fit) {
  const Bytes image = noise(4 * kCluster);
  const MemoryDevice device(image);
  const auto refused = [&](auto change) {
    Plan plan = plan_with_copy(image, 10 * kCluster);
    change(plan, plan.steps[0].writes[0]);
    return !PlannedFiles(device, nullptr).apply(plan).empty();
  };
  EXPECT_FALSE(refused([](Plan&, Write&) {}));
  EXPECT_TRUE(refused([](Plan&, Write& write) { write.offset = ~std::uint64_t{0} - 16; }));
  EXPECT_TRUE(refused([](Plan&, Write& write) { write.offset += 1; }));
  EXPECT_TRUE(refused([](Plan&, Write& write) { write.target = File::data_file; }));
  EXPECT_TRUE(refused([](Plan&, Write& write) { write.old_bytes = Content::zeros(kCluster - 1); }));
  EXPECT_TRUE(refused([](Plan&, Write& write) {
    write.old_bytes = Content::sequence({.unit_bytes = 1, .first = 1}, kCluster);
  }));
  EXPECT_TRUE(refused([](Plan& plan, Write&) { plan.image_bytes_after = 3 * kCluster; }));
  EXPECT_TRUE(refused(
      [](Plan&, Write& write) { write.new_bytes = Content::original(std::uint64_t{1} << 62, kCluster, 0); }));
}

TEST(Editor, writes_neighbours_as_one_and_nothing_that_is_there) {
  const MemoryDevice device(Bytes(kCluster, std::byte{0}));
  Editor editor(device, nullptr, 0);
  editor.begin(rule("refcount/too-low"), Remedy::safe, "count");
  for (std::uint64_t i = 0; i < 1000; ++i) editor.write_number(File::image, i * 2, std::uint16_t{1});
  EXPECT_EQ(editor.changes(), 1000u);
  editor.write_number(File::image, 100, std::uint16_t{1});
  editor.write(File::image, 4096, Bytes(512));
  EXPECT_EQ(editor.changes(), 1000u);
  const std::vector<Step> steps = editor.take_steps();
  ASSERT_EQ(steps.size(), 1u);
  ASSERT_EQ(steps[0].writes.size(), 1u);
  EXPECT_EQ(steps[0].writes[0].new_bytes, Content::sequence({.unit_bytes = 2, .first = 1}, 1000));
}

TEST(Editor, splits_what_would_be_a_long_line_of_text) {
  const Bytes image = noise(5 << 20);
  Bytes changed = image;
  for (std::byte& byte : changed) byte ^= std::byte{0x55};
  const MemoryDevice device(image);
  Editor editor(device, nullptr, 16 << 20);
  editor.begin(rule("l2/copied"), Remedy::safe, "flip");
  editor.write(File::image, 0, changed);
  const std::vector<Step> steps = editor.take_steps();
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].writes.size(), 5u);
}

}  // namespace
}  // namespace cowvet
