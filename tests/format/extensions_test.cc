#include "checker/format/extensions.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/format/bytes.h"

namespace cowvet {
namespace {

// Extensions own no bytes: the strings do.
struct Written {
  std::vector<std::pair<ExtensionType, std::vector<std::byte>>> content;
  std::vector<std::byte> area;

  explicit Written(std::vector<std::pair<ExtensionType, std::vector<std::byte>>> extensions)
      : content(std::move(extensions)) {
    std::vector<Extension> views;
    for (const auto& [type, data] : content) views.push_back({.type = type, .data = data});
    encode_extensions(views, area);
  }
};

Written any_extensions() {
  std::vector<std::pair<ExtensionType, std::vector<std::byte>>> content(*rc::gen::inRange(0, 8));
  for (auto& [type, data] : content) {
    type = *rc::gen::element(ExtensionType::backing_format, ExtensionType::feature_names,
                             ExtensionType::bitmaps, ExtensionType::luks, ExtensionType::data_file_name,
                             static_cast<ExtensionType>(0x12345678));
    data = any_bytes(100);
  }
  return Written(std::move(content));
}

TEST(Extensions, survive_encode_and_walk) {
  EXPECT_TRUE(rc::check([] {
    const Written written = any_extensions();
    const ExtensionWalk walk = walk_extensions(written.area, 0, written.area.size());
    RC_ASSERT(walk.terminated);
    RC_ASSERT(!walk.overrun);
    RC_ASSERT(walk.end == written.area.size());
    RC_ASSERT(walk.extensions.size() == written.content.size());
    for (std::size_t i = 0; i < walk.extensions.size(); ++i) {
      RC_ASSERT(walk.extensions[i].type == written.content[i].first);
      RC_ASSERT(std::ranges::equal(walk.extensions[i].data, written.content[i].second));
    }
    std::vector<std::byte> again;
    encode_extensions(walk.extensions, again);
    RC_ASSERT(again == written.area);
  }));
}

TEST(Extensions, are_found_wherever_the_header_ends) {
  EXPECT_TRUE(rc::check([] {
    const Written written = any_extensions();
    const auto begin = *rc::gen::inRange<std::size_t>(0, 200);
    std::vector<std::byte> cluster(begin, std::byte{0xff});
    cluster.insert(cluster.end(), written.area.begin(), written.area.end());
    cluster.resize(cluster.size() + 64, std::byte{0xff});
    const ExtensionWalk walk = walk_extensions(cluster, begin, cluster.size());
    RC_ASSERT(walk.terminated);
    RC_ASSERT(walk.end == begin + written.area.size());
    for (const Extension& extension : walk.extensions) {
      RC_ASSERT(extension.offset >= begin);
      RC_ASSERT(extension.data.data() == cluster.data() + extension.offset + 8);
    }
  }));
}

TEST(Extensions, a_walk_never_leaves_its_area) {
  EXPECT_TRUE(rc::check([] {
    const std::vector<std::byte> cluster = any_bytes(600);
    const auto begin = any_number<std::uint64_t>() % 700;
    const auto limit = any_number<std::uint64_t>();
    const ExtensionWalk walk = walk_extensions(cluster, begin, limit);
    const std::uint64_t end = std::min<std::uint64_t>(limit, cluster.size());
    for (const Extension& extension : walk.extensions) {
      RC_ASSERT(extension.offset >= begin);
      RC_ASSERT(extension.offset + 8 + extension.data.size() <= end);
    }
  }));
}

TEST(Extensions, cut_short_they_are_unterminated_or_overrun) {
  EXPECT_TRUE(rc::check([] {
    const Written written = any_extensions();
    const auto limit = *rc::gen::inRange<std::size_t>(0, written.area.size());
    const ExtensionWalk walk = walk_extensions(written.area, 0, limit);
    RC_ASSERT(!walk.terminated);
    RC_ASSERT(walk.extensions.size() <= written.content.size());
    for (std::size_t i = 0; i < walk.extensions.size(); ++i)
      RC_ASSERT(std::ranges::equal(walk.extensions[i].data, written.content[i].second));
    if (walk.overrun) {
      const auto& [type, data] = written.content[walk.extensions.size()];
      RC_ASSERT(walk.overrun_type == static_cast<std::uint32_t>(type));
      RC_ASSERT(walk.overrun_length == data.size());
    }
  }));
}

TEST(Extensions, the_last_needs_no_padding_before_the_end_of_the_area) {
  const auto area = from_hex("e2792aca 00000003 726177");
  const ExtensionWalk walk = walk_extensions(area, 0, area.size());
  ASSERT_EQ(walk.extensions.size(), 1u);
  EXPECT_EQ(walk.extensions[0].text(), "raw");
  EXPECT_FALSE(walk.overrun);
  EXPECT_FALSE(walk.terminated);
}

// Written by hand from the specification: format name, bitmaps, LUKS pointer, data file name, unknown, end.
constexpr const char* kArea = R"(
  e2792aca 00000005 7163 6f77 32 000000
  23852875 00000018 00000002 00000000 0000000000000040 0000000000070000
  0537be77 00000010 0000000000040000 00000000001f8000
  44415441 00000008 646973 6b2e 726177
  deadbeef 00000001 aa 00000000000000
  00000000 00000000)";

TEST(Extensions, golden_bytes_decode_to_their_fields) {
  const auto area = from_hex(kArea);
  const ExtensionWalk walk = walk_extensions(area, 0, area.size());
  ASSERT_EQ(walk.extensions.size(), 5u);
  EXPECT_EQ(walk.extensions[0].type, ExtensionType::backing_format);
  EXPECT_EQ(walk.extensions[0].text(), "qcow2");
  EXPECT_EQ(walk.extensions[1].type, ExtensionType::bitmaps);
  EXPECT_EQ(decode_bitmaps_extension(walk.extensions[1].data),
            (BitmapsExtension{.nb_bitmaps = 2, .directory_size = 0x40, .directory_offset = 0x70000}));
  EXPECT_EQ(walk.extensions[2].type, ExtensionType::luks);
  EXPECT_EQ(decode_luks_pointer(walk.extensions[2].data),
            (LuksPointer{.offset = 0x40000, .length = 0x1f8000}));
  EXPECT_EQ(walk.extensions[3].type, ExtensionType::data_file_name);
  EXPECT_EQ(walk.extensions[3].text(), "disk.raw");
  EXPECT_EQ(walk.extensions[4].type, static_cast<ExtensionType>(0xdeadbeef));
  EXPECT_TRUE(walk.terminated);

  std::vector<std::byte> encoded;
  encode_extensions(walk.extensions, encoded);
  EXPECT_EQ(to_hex(encoded), to_hex(area));
}

TEST(FeatureNames, survive_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    std::vector<FeatureName> names(*rc::gen::inRange<std::size_t>(0, 20));
    for (FeatureName& name : names)
      name = {any_number<std::uint8_t>(), any_number<std::uint8_t>(), any_field_text(46)};
    const auto data = encode_feature_names(names);
    RC_ASSERT(data.size() == names.size() * 48);
    RC_ASSERT(decode_feature_names(data) == names);
  }));
}

TEST(FeatureNames, golden_bytes_decode_to_their_fields) {
  auto data = from_hex("00 04 657874656e646564204c3220656e7472696573");  // "extended L2 entries"
  data.resize(48);
  const std::vector<FeatureName> expected = {{.type = 0, .bit = 4, .name = "extended L2 entries"}};
  EXPECT_EQ(decode_feature_names(data), expected);
  EXPECT_EQ(to_hex(encode_feature_names(expected)), to_hex(data));
}

TEST(FeatureNames, a_name_of_full_length_needs_no_terminator) {
  const std::vector<FeatureName> names = {{.type = 2, .bit = 63, .name = std::string(46, 'x')},
                                          {.type = 1, .bit = 0, .name = "y"}};
  EXPECT_EQ(decode_feature_names(encode_feature_names(names)), names);
}

TEST(FeatureNames, a_rest_that_is_no_entry_is_not_looked_at) {
  auto data = encode_feature_names(std::vector<FeatureName>{{.type = 0, .bit = 0, .name = "dirty bit"}});
  data.resize(48 + 47, std::byte{0xff});
  EXPECT_EQ(decode_feature_names(data).size(), 1u);
}

TEST(BitmapsExtension, survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    const BitmapsExtension extension{any_number<std::uint32_t>(), any_number<std::uint32_t>(),
                                     any_number<std::uint64_t>(), any_number<std::uint64_t>()};
    RC_ASSERT(decode_bitmaps_extension(encode_bitmaps_extension(extension)) == extension);
  }));
}

TEST(LuksPointer, survives_encode_and_decode) {
  EXPECT_TRUE(rc::check([] {
    const LuksPointer pointer{any_number<std::uint64_t>(), any_number<std::uint64_t>()};
    RC_ASSERT(decode_luks_pointer(encode_luks_pointer(pointer)) == pointer);
  }));
}

TEST(FixedExtensions, of_any_other_length_are_none) {
  for (std::size_t size = 0; size < 40; ++size) {
    const std::vector<std::byte> data(size);
    EXPECT_EQ(decode_bitmaps_extension(data).has_value(), size == 24);
    EXPECT_EQ(decode_luks_pointer(data).has_value(), size == 16);
  }
}

}  // namespace
}  // namespace cowvet
