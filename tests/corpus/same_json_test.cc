// The whole corpus, examined in every way: the same JSON, byte for byte, whatever the number of threads, the
// memory cap, and the device that the image lies on.
#include <gtest/gtest.h>

#include "checker/device/file_device.h"
#include "checker/device/overlay_device.h"
#include "checker/report/json_report.h"
#include "corpus/examine.h"
#include "corpus/output_files.h"
#include "tests/corpus/support.h"
#include "tests/support/temporary_directory.h"

namespace cowvet::corpus {
namespace {

// A device under another name, so that reports do not differ in that.
class Renamed final : public Device {
 public:
  Renamed(const Device& below, const Device& like) : below_(below), like_(like) {}
  const std::string& name() const override { return like_.name(); }
  std::uint64_t size_bytes() const override { return below_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return below_.read(offset, out);
  }
  DataExtent next_data(std::uint64_t offset) const override { return below_.next_data(offset); }
  std::optional<FileIdentity> identity() const override { return like_.identity(); }

 private:
  const Device& below_;
  const Device& like_;
};

std::string json_of(const Inputs& inputs, unsigned threads, std::uint64_t max_memory_bytes) {
  const Options options{
      .threads = threads, .max_memory_bytes = max_memory_bytes, .deep = true, .findings_per_rule = 0};
  return json_report(analyze(inputs, options), {}, JsonLayout::document);
}

class SameJson : public testing::TestWithParam<std::string> {};

TEST_P(SameJson, whatever_examines_it) {
  const Recipe& recipe = recipe_named(GetParam());
  const auto built = build(recipe);
  ASSERT_TRUE(built);
  const TemporaryDirectory directory;
  const std::string path = directory.file("image");
  ASSERT_TRUE(write_sparse(path, built->image));
  with_inputs(recipe, *built, [&](const Inputs& inputs) {
    const std::string reference = json_of(inputs, 1, 0);
    EXPECT_EQ(json_of(inputs, 4, 0), reference) << "with four threads";
    EXPECT_EQ(json_of(inputs, 2, 20'000), reference) << "with little memory";
    const OverlayDevice overlay(inputs.image);
    EXPECT_EQ(json_of({overlay, inputs.open_data_file, inputs.open_backing}, 1, 0), reference)
        << "as an overlay";
    // What cannot be read in memory can be read in a file.
    if (!built->unreadable.empty()) return;
    const auto file = FileDevice::open(path);
    ASSERT_TRUE(file);
    const Renamed renamed(**file, inputs.image);
    EXPECT_EQ(json_of({renamed, inputs.open_data_file, inputs.open_backing}, 1, 0), reference)
        << "as a sparse file";
  });
}

INSTANTIATE_TEST_SUITE_P(all, SameJson, testing::ValuesIn(recipe_names([](const Recipe&) { return true; })),
                         test_name);

}  // namespace
}  // namespace cowvet::corpus
