// Every recipe of the corpus: unpacked from a pack, cowvet says the same of it byte for byte, and no guest
// data is in the pack.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "checker/device/memory_device.h"
#include "checker/report/json_report.h"
#include "corpus/examine.h"
#include "corpus/library.h"
#include "tests/pack/support.h"

namespace cowvet {
namespace {

const std::vector<corpus::Recipe>& recipes() {
  static const std::vector<corpus::Recipe> all =
      corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
  return all;
}

// What was unpacked, under the name and with the identity of the original.
class Stand : public Device {
 public:
  Stand(const std::vector<std::byte>& bytes, const Device& original)
      : bytes_(bytes), name_(original.name()), identity_(original.identity()) {}
  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return bytes_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return bytes_.read(offset, out);
  }
  std::optional<FileIdentity> identity() const override { return identity_; }

 private:
  MemoryDevice bytes_;
  std::string name_;
  std::optional<FileIdentity> identity_;
};

std::string report_of(const Inputs& inputs, const Options& options) {
  return json_report(analyze(inputs, options), {}, JsonLayout::document);
}

// The same of the unpacked files, at the places of the original ones.
std::string report_of(const Unpacked& unpacked, const Inputs& inputs, const Options& options) {
  const Stand image(unpacked.image, inputs.image);
  return report_of({image,
                    [&](const std::string& name) {
                      Companion companion = inputs.open_data_file(name);
                      if (companion.device && unpacked.data_file)
                        companion.device = std::make_unique<Stand>(*unpacked.data_file, *companion.device);
                      return companion;
                    },
                    inputs.open_backing},
                   options);
}

// Words of 8 bytes that a guest wrote and that no metadata would hold by chance: host offsets, counts and
// small numbers begin with a zero byte.
std::set<std::uint64_t> guest_words(const corpus::GuestDisk& disk) {
  std::set<std::uint64_t> words;
  std::vector<std::byte> unit(disk.unit_bytes());
  for (const std::uint64_t offset : disk.written_units()) {
    disk.read(offset, unit);
    for (std::size_t i = 0; i + 8 <= unit.size(); i += 8)
      if (unit[i] != std::byte{0}) words.insert(load_big_endian<std::uint64_t>(unit.data() + i));
  }
  return words;
}

bool holds_any(const std::vector<std::byte>& file, const std::set<std::uint64_t>& words) {
  for (std::size_t i = 0; i + 8 <= file.size(); i += 8)
    if (words.contains(load_big_endian<std::uint64_t>(file.data() + i))) return true;
  return false;
}

// "l2" of "l2/outside"
std::string group_of(const corpus::Recipe& recipe) {
  return recipe.name.substr(0, recipe.name.find('/'));
}

std::vector<std::string> groups() {
  std::set<std::string> names;
  for (const corpus::Recipe& recipe : recipes()) names.insert(group_of(recipe));
  return {names.begin(), names.end()};
}

void expect_no_guest_data(const corpus::BuiltImage& built, const Unpacked& unpacked) {
  std::set<std::uint64_t> words = guest_words(built.disk);
  for (const auto& [id, disk] : built.snapshot_disks) words.merge(guest_words(disk));
  EXPECT_FALSE(holds_any(unpacked.image, words));
  if (unpacked.data_file) {
    EXPECT_FALSE(holds_any(*unpacked.data_file, words));
  }
}

void examine(const corpus::Recipe& recipe, const corpus::BuiltImage& built, const Inputs& inputs) {
  const Options analysis{.threads = 1, .deep = recipe.check_deep, .findings_per_rule = 0};
  BlankImage blank = blank_image(inputs, {.analysis = analysis});
  const bool without_doubt = blank.differences.empty();
  if (without_doubt) {
    expect_no_guest_data(built, unpack(pack(blank)).value());
  } else {
    blank = blank_image(inputs, {.analysis = analysis, .keep_doubtful = true});
  }
  // Bytes that cannot be read can be in no file.
  if (!without_doubt && !built.unreadable.empty()) {
    EXPECT_EQ(std::ranges::count(blank.differences, "file/unreadable"), 1);
    return;
  }
  EXPECT_TRUE(blank.differences.empty()) << blank.differences.front();
  EXPECT_TRUE(without_doubt || blank.doubtful_clusters != 0);
  EXPECT_EQ(report_of(unpack(pack(blank)).value(), inputs, analysis), report_of(inputs, analysis));
}

class PackCorpus : public testing::TestWithParam<std::string> {};

TEST_P(PackCorpus, is_reported_in_the_same_bytes_without_guest_data) {
  for (const corpus::Recipe& recipe : recipes()) {
    if (group_of(recipe) != GetParam()) continue;
    SCOPED_TRACE(recipe.name);
    const corpus::BuiltImage built = corpus::build(recipe).value();
    corpus::with_inputs(recipe, built, [&](const Inputs& inputs) { examine(recipe, built, inputs); });
  }
}

INSTANTIATE_TEST_SUITE_P(all, PackCorpus, testing::ValuesIn(groups()),
                         [](const testing::TestParamInfo<std::string>& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace cowvet
