#include <gtest/gtest.h>

#include <stdexcept>

#include "checker/analysis/passes.h"
#include "tests/support/mapped_image.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;
constexpr FileIdentity kOther{.device = 1, .inode = 2};
constexpr FileIdentity kBacking{.device = 1, .inode = 3};
constexpr FileIdentity kImage{.device = 1, .inode = 4};

// Zeros of a given length and identity.
class EmptyDevice final : public Device {
 public:
  EmptyDevice(std::uint64_t size, FileIdentity identity) : size_(size), identity_(identity) {}
  const std::string& name() const override { return name_; }
  std::uint64_t size_bytes() const override { return size_; }
  std::expected<void, IoError> read(std::uint64_t, std::span<std::byte> out) const override {
    std::ranges::fill(out, std::byte{0});
    return {};
  }
  DataExtent next_data(std::uint64_t) const override { return {size_, size_}; }
  std::optional<FileIdentity> identity() const override { return identity_; }

 private:
  std::string name_ = "empty";
  std::uint64_t size_;
  FileIdentity identity_;
};

// A MemoryDevice with an identity.
class IdentifiedDevice final : public Device {
 public:
  explicit IdentifiedDevice(std::vector<std::byte> bytes) : memory_(std::move(bytes)) {}
  const std::string& name() const override { return memory_.name(); }
  std::uint64_t size_bytes() const override { return memory_.size_bytes(); }
  std::expected<void, IoError> read(std::uint64_t offset, std::span<std::byte> out) const override {
    return memory_.read(offset, out);
  }
  std::optional<FileIdentity> identity() const override { return kImage; }

 private:
  MemoryDevice memory_;
};

OpenCompanion opens(FileIdentity identity, std::uint64_t size = MappedImage::kWindowBytes) {
  return [=](const std::string& name) {
    return Companion{.state = Companion::State::open,
                     .device = std::make_unique<EmptyDevice>(size, identity),
                     .path = "/images/" + name};
  };
}

OpenCompanion finds(Companion::State state, std::optional<FileIdentity> identity = {}) {
  return [=](const std::string& name) {
    return Companion{.state = state, .path = "/images/" + name, .why = "reasons", .identity = identity};
  };
}

struct Opened {
  Opened(const MemoryImage& image, OpenCompanion data_file, OpenCompanion backing = {})
      : device(image.encoded()), inputs{device, std::move(data_file), std::move(backing)} {
    load_header(context);
    load_extensions(context);
    open_data_file(context);
    check_data_file_length(context);
  }
  // The ids that fired, but for those that every image with a name has.
  std::string fired() const {
    std::string ids;
    for (const Finding& finding : context.findings.sorted()) {
      if (finding.rule == rule("data-file/name-relative")) continue;
      if (!ids.empty()) ids += ' ';
      ids += finding.rule->id;
    }
    return ids;
  }

  Finding first(RuleId id) const {
    for (const Finding& finding : context.findings.sorted())
      if (finding.rule == id) return finding;
    throw std::runtime_error("rule did not fire");
  }

  IdentifiedDevice device;
  Inputs inputs;
  Options options;
  Progress progress;
  Context context{inputs, options, progress};
};

MappedImage named_image(bool raw = false, std::uint64_t disk_bytes = MappedImage::kWindowBytes) {
  MappedImage image(disk_bytes);
  image.use_data_file(raw);
  image.add_extension(static_cast<std::uint32_t>(ExtensionType::data_file_name), "disk.raw");
  image.add_extension(0, "");
  return image;
}

TEST(OpenDataFile, image_without_data_file_asks_for_none) {
  bool asked = false;
  const Opened opened(MappedImage(), [&](const std::string&) {
    asked = true;
    return Companion{};
  });
  EXPECT_EQ(opened.fired(), "");
  EXPECT_FALSE(asked);
}

TEST(OpenDataFile, data_file_that_opens_is_kept) {
  const Opened opened(named_image(), opens(kOther));
  EXPECT_EQ(opened.fired(), "");
  EXPECT_EQ(opened.context.data_file.state, Companion::State::open);
  EXPECT_EQ(opened.context.report.data_file_name, "disk.raw");
  EXPECT_EQ(opened.context.report.data_file_path, "/images/disk.raw");
  EXPECT_FALSE(opened.context.report.data_file_examined);
}

TEST(OpenDataFile, missing_file_leaves_the_check_incomplete) {
  const Opened opened(named_image(), finds(Companion::State::missing));
  EXPECT_EQ(opened.fired(), "data-file/missing");
  EXPECT_EQ(opened.first(rule("data-file/missing")).detail,
            R"(the data file "/images/disk.raw" cannot be opened: reasons)");
}

TEST(OpenDataFile, file_that_was_not_followed_is_a_notice) {
  EXPECT_EQ(Opened(named_image(), finds(Companion::State::not_followed)).fired(), "data-file/not-examined");
  EXPECT_EQ(Opened(named_image(), {}).fired(), "data-file/not-examined");
}

TEST(OpenDataFile, image_that_names_none_gets_the_one_that_the_user_gave) {
  MappedImage image;
  image.use_data_file();
  EXPECT_EQ(Opened(image, opens(kOther)).fired(), "data-file/name-missing");
  EXPECT_EQ(Opened(image, {}).fired(), "data-file/not-examined data-file/name-missing");
}

TEST(OpenDataFile, image_itself_or_its_backing_file_is_no_data_file) {
  EXPECT_EQ(Opened(named_image(), opens(kImage)).fired(), "data-file/is-image");
  MappedImage image = named_image();
  image.header.backing_file_offset = 1024;
  image.header.backing_file_size = 4;
  image.put(1024, "base");
  constexpr std::string_view kOthers = "ext/backing-format-missing";
  EXPECT_EQ(Opened(image, opens(kBacking), opens(kBacking)).fired(),
            "ext/backing-format-missing data-file/is-image");
  EXPECT_EQ(Opened(image, opens(kOther), opens(kBacking)).fired(), kOthers);
  EXPECT_EQ(Opened(image, opens(kBacking), {}).fired(), kOthers);
}

// A symbolic link is not followed, but where it leads to can be known.
TEST(OpenDataFile, file_not_followed_can_be_known_to_be_the_image) {
  const Opened opened(named_image(), finds(Companion::State::not_followed, kImage));
  EXPECT_EQ(opened.fired(), "data-file/is-image");
}

TEST(OpenDataFile, image_as_its_own_data_file_is_not_read_as_one) {
  const Opened opened(named_image(true), opens(kImage));
  EXPECT_NE(opened.context.data_file.state, Companion::State::open);
  EXPECT_EQ(opened.context.report.data_file_path, "");
}

// The rules about names that fire for `name`.
std::string name_rules(std::string_view name) {
  MappedImage image;
  image.use_data_file();
  image.add_extension(static_cast<std::uint32_t>(ExtensionType::data_file_name), name);
  image.add_extension(0, "");
  const Opened opened(image, opens(kOther));
  std::string ids;
  for (const RuleId id : {rule("data-file/name-unsafe"), rule("data-file/name-relative")})
    if (opened.context.findings.added(id) != 0) ids += id->id.substr(id->id.rfind('-') + 1);
  return ids;
}

TEST(OpenDataFile, names_are_judged) {
  EXPECT_EQ(name_rules("disk.raw"), "relative");
  EXPECT_EQ(name_rules("data/disk..raw"), "relative");
  EXPECT_EQ(name_rules("./a:b/disk.raw"), "relative");
  EXPECT_EQ(name_rules("/var/lib/disk.raw"), "unsafe");
  EXPECT_EQ(name_rules("/dev/sda"), "unsafe");
  EXPECT_EQ(name_rules("../disk.raw"), "unsaferelative");
  EXPECT_EQ(name_rules("data/.."), "unsaferelative");
  EXPECT_EQ(name_rules("nbd://host/disk"), "unsafe");
  EXPECT_EQ(name_rules("json:{\"driver\": \"file\"}"), "unsafe");
  EXPECT_EQ(name_rules("disk\n.raw"), "unsafe");
}

TEST(CheckDataFileLength, file_as_long_as_the_disk_is_long_enough) {
  constexpr std::uint64_t kDisk = 3 * kCluster + 512;
  for (const bool raw : {false, true}) {
    MappedImage image = named_image(raw, kDisk);
    for (std::uint64_t index = 0; index < 4; ++index) image.map(index, index * kCluster | kCopied);
    EXPECT_EQ(Opened(image, opens(kOther, kDisk)).fired(), "");
    EXPECT_EQ(Opened(image, opens(kOther, 4 * kCluster)).fired(), "");
  }
}

TEST(CheckDataFileLength, file_need_not_be_longer_than_what_is_mapped) {
  MappedImage image = named_image();
  image.map(2, 2 * kCluster | kCopied);
  image.map(3, L2Entry::kZero);
  image.map(4, 4 * kCluster | kCopied | L2Entry::kZero);
  EXPECT_EQ(Opened(image, opens(kOther, 3 * kCluster)).fired(), "");
  const Opened opened(image, opens(kOther, 3 * kCluster - 1));
  EXPECT_EQ(opened.fired(), "data-file/short");
  const Finding finding = opened.first(rule("data-file/short"));
  EXPECT_EQ(finding.expected, 3 * kCluster);
  EXPECT_EQ(finding.found, 3 * kCluster - 1);
  EXPECT_EQ(finding.count, 1u);
  EXPECT_EQ(finding.place.guest, (GuestRange{3 * kCluster - 1, 1}));
}

TEST(CheckDataFileLength, clusters_behind_the_end_are_counted) {
  MappedImage image = named_image();
  for (const std::uint64_t index : {2u, 3u, 7u, 500u}) image.map(index, index * kCluster | kCopied);
  EXPECT_EQ(Opened(image, opens(kOther, 3 * kCluster)).first(rule("data-file/short")).count, 3u);
  EXPECT_EQ(Opened(image, opens(kOther, 0)).first(rule("data-file/short")).count, 4u);
}

TEST(CheckDataFileLength, raw_file_must_reach_the_end_of_the_disk) {
  EXPECT_EQ(Opened(named_image(true), opens(kOther)).fired(), "");
  EXPECT_EQ(Opened(named_image(true), opens(kOther, MappedImage::kWindowBytes - 1)).fired(),
            "data-file/short");
}

TEST(CheckDataFileLength, raw_file_may_be_longer_by_the_rest_of_a_cluster) {
  constexpr std::uint64_t kDisk = 3 * kCluster + 512;
  EXPECT_EQ(Opened(named_image(true, kDisk), opens(kOther, 4 * kCluster)).fired(), "");
  EXPECT_EQ(Opened(named_image(true, kDisk), opens(kOther, 4 * kCluster + 1)).fired(), "data-file/long");
  EXPECT_EQ(Opened(named_image(false, kDisk), opens(kOther, 400 * kCluster)).fired(), "");
}

}  // namespace
}  // namespace cowvet
