// What is sound is never changed, by the program and whatever consents it is given: every recipe in which
// nothing but notices is found, and images as QEMU makes them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "tests/repair/recipe_image.h"
#include "tests/support/qemu_samples.h"
#include "tests/support/run_command.h"
#include "tests/support/temporary_directory.h"

namespace cowvet {
namespace {

constexpr const char* kModes[] = {
    "--yes",
    "--yes --deep --allow metadata --allow lossy",
    "--yes --leaks-only",
    "--yes --choose refcount/orphan-mapping=free --choose data-file/raw-unmapped=trust-metadata "
    "--choose data-file/raw-zero-differs=trust-raw --choose l2/subcluster-conflict=zero",
    "--dry-run",
};

struct Found {
  std::string name;
  std::string bytes;
  std::int64_t changed_seconds = 0;
  std::int64_t changed_nanoseconds = 0;
  bool operator==(const Found&) const = default;
};

// Every file, and when it was written to last.
std::vector<Found> look_at(const std::filesystem::path& directory) {
  std::vector<Found> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    struct stat status{};
    EXPECT_EQ(lstat(entry.path().c_str(), &status), 0);
    std::ifstream file(entry.path(), std::ios::binary);
    files.push_back({entry.path().filename().string(),
                     {std::istreambuf_iterator<char>(file), {}},
                     status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec});
  }
  std::ranges::sort(files, {}, &Found::name);
  return files;
}

void expect_unchanged_in_every_mode(const std::filesystem::path& directory, bool is_examined_whole) {
  const std::vector<Found> before = look_at(directory);
  for (const char* mode : kModes) {
    const CommandResult result =
        run_script(std::string(COWVET_REPAIR_PROGRAM) + " --quiet " + mode + " a.qcow2", directory);
    EXPECT_TRUE(result.status == 0 || (result.status == 1 && !is_examined_whole)) << mode << result.err;
  }
  EXPECT_TRUE(look_at(directory) == before);
}

class SoundRecipe : public testing::TestWithParam<std::size_t> {};

TEST_P(SoundRecipe, is_never_changed) {
  const corpus::Recipe& recipe = all_recipes()[GetParam()];
  const corpus::BuiltImage built = corpus::build(recipe).value();
  const TemporaryDirectory directory;
  const RecipeImage image(recipe, built, directory.path());
  bool is_examined_whole = true;
  for (const RuleTotal& total : image.check_deep().totals) {
    if (total.worst == Severity::unchecked) is_examined_whole = false;
    if (total.rule == rule("header/dirty"))
      GTEST_SKIP() << "what was not closed cleanly is put in order, though that is no damage";
    if (total.worst == Severity::corruption) GTEST_SKIP() << "a deep check finds damage";
  }
  expect_unchanged_in_every_mode(directory.path(), is_examined_whole);
}

std::vector<std::size_t> sound_recipes() {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < all_recipes().size(); ++i)
    if (all_recipes()[i].expected_status == 0) indices.push_back(i);
  return indices;
}

INSTANTIATE_TEST_SUITE_P(all, SoundRecipe, testing::ValuesIn(sound_recipes()),
                         [](const auto& param) { return test_name_of(all_recipes()[param.param]); });

class SoundSample : public testing::TestWithParam<QemuSample> {};

TEST_P(SoundSample, is_never_changed) {
  const TemporaryDirectory directory;
  make_qemu_sample(GetParam(), directory.path());
  expect_unchanged_in_every_mode(directory.path(), true);
}

INSTANTIATE_TEST_SUITE_P(all, SoundSample, testing::ValuesIn(kQemuSamples.begin(), kQemuSamples.end()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace cowvet
