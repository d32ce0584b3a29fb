#include <gtest/gtest.h>

#include "checker/analysis/passes.h"
#include "checker/format/extensions.h"
#include "tests/support/memory_image.h"

namespace cowvet {
namespace {

using enum ExtensionType;

constexpr std::uint64_t kCluster = MemoryImage::kClusterBytes;

void add(MemoryImage& image, ExtensionType type, std::string_view data) {
  image.add_extension(static_cast<std::uint32_t>(type), data);
}

void name_backing_file(MemoryImage& image, std::uint64_t offset, std::string_view name) {
  image.header.backing_file_offset = offset;
  image.header.backing_file_size = static_cast<std::uint32_t>(name.size());
  image.put(offset, name);
}

// The rules that fire on the image once `change` has been at it.
std::string fired_with(auto&& change) {
  MemoryImage image;
  change(image);
  Examination examination(image);
  EXPECT_TRUE(load_header(examination.context));
  load_extensions(examination.context);
  return examination.fired();
}

template <typename Raw>
std::string bytes_of(const Raw& raw) {
  return {reinterpret_cast<const char*>(&raw), sizeof raw};
}

RawBitmapsExtension bitmaps_at(std::uint64_t offset, std::uint64_t bytes, std::uint32_t count = 1) {
  RawBitmapsExtension raw;
  raw.nb_bitmaps = count;
  raw.bitmap_directory_offset = offset;
  raw.bitmap_directory_size = bytes;
  return raw;
}

TEST(LoadExtensions, names_reach_the_report) {
  MemoryImage image;
  image.header.incompatible_features = kIncompatibleDataFile;
  add(image, backing_format, "qcow2");
  add(image, data_file_name, "disk.raw");
  name_backing_file(image, 1024, "base.qcow2");
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  load_extensions(examination.context);
  EXPECT_EQ(examination.fired(), "");
  EXPECT_EQ(examination.context.report.backing_format, "qcow2");
  EXPECT_EQ(examination.context.report.data_file_name, "disk.raw");
  EXPECT_EQ(examination.context.report.backing_name, "base.qcow2");
}

TEST(LoadExtensions, name_directly_behind_the_last_extension_ends_the_area) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              add(image, backing_format, "raw");
              name_backing_file(image, 128, "b");  // the extension has 16 bytes
            }),
            "ext/unterminated");
}

TEST(LoadExtensions, name_directly_behind_the_header_leaves_no_room_and_needs_no_marker) {
  EXPECT_EQ(fired_with([](MemoryImage& image) { name_backing_file(image, 112, "base"); }),
            "ext/backing-format-missing");
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              image.header.version = 2;
              image.bytes[103] = std::byte{0};
              name_backing_file(image, 72, "base");
            }),
            "ext/backing-format-missing");
}

TEST(LoadExtensions, extension_that_runs_into_the_name_is_too_long) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              add(image, backing_format, "raw");
              image.put(116, std::uint32_t{100});
              name_backing_file(image, 200, "base");
            }),
            "ext/overrun");
}

TEST(LoadExtensions, name_inside_a_sound_chain_is_in_the_wrong_place) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              add(image, backing_format, "raw");
              add(image, feature_names, std::string(96, '\0'));
              name_backing_file(image, 240, "base");
              image.header.backing_file_offset = 160;
            }),
            "header/backing-name-overlap");
}

TEST(LoadExtensions, length_at_the_end_of_the_number_line_does_not_wrap) {
  MemoryImage image;
  add(image, backing_format, "raw");
  image.put(116, ~std::uint32_t{0});
  name_backing_file(image, 1024, "base");
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  load_extensions(examination.context);
  EXPECT_EQ(examination.fired(), "ext/overrun");
  EXPECT_EQ(examination.context.unknown_references.size(), 1u);
}

TEST(LoadExtensions, only_known_types_are_expected_once) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              add(image, feature_names, "");
              add(image, feature_names, "");
            }),
            "ext/duplicate");
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              image.add_extension(0x12345678, "a");
              image.add_extension(0x12345678, "b");
            }),
            "");
}

TEST(LoadExtensions, of_two_formats_the_first_is_taken) {
  MemoryImage image;
  add(image, backing_format, "raw");
  add(image, backing_format, "qcow2");
  name_backing_file(image, 1024, "base");
  Examination examination(image);
  ASSERT_TRUE(load_header(examination.context));
  load_extensions(examination.context);
  EXPECT_EQ(examination.fired(), "ext/duplicate");
  EXPECT_EQ(examination.context.report.backing_format, "raw");
}

TEST(LoadExtensions, feature_table_is_judged_entry_by_entry) {
  const auto with_entry = [](char type, char bit, std::size_t length) {
    return fired_with([=](MemoryImage& image) {
      std::string table(length, '\0');
      table[48] = type;
      table[49] = bit;
      add(image, feature_names, table);
    });
  };
  EXPECT_EQ(with_entry(2, 63, 96), "");
  EXPECT_EQ(with_entry(3, 0, 96), "ext/feature-table-length");
  EXPECT_EQ(with_entry(0, 64, 96), "ext/feature-table-length");
  EXPECT_EQ(with_entry(0, 0, 95), "ext/feature-table-length");
}

TEST(LoadExtensions, stale_directory_outside_the_file_is_no_corruption) {
  const auto with_bit = [](std::uint64_t autoclear) {
    return fired_with([=](MemoryImage& image) {
      image.header.autoclear_features = autoclear;
      add(image, bitmaps, bytes_of(bitmaps_at(kCluster * 100, 32)));
    });
  };
  EXPECT_EQ(with_bit(0), "ext/bitmaps-stale");
  EXPECT_EQ(with_bit(kAutoclearBitmaps), "ext/bitmaps-directory-outside");
}

TEST(LoadExtensions, directory_size_at_the_end_of_the_number_line_does_not_wrap) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              image.header.autoclear_features = kAutoclearBitmaps;
              add(image, bitmaps, bytes_of(bitmaps_at(kCluster, ~std::uint64_t{0})));
            }),
            "ext/bitmaps-directory-outside");
}

TEST(LoadExtensions, nothing_is_missing_from_a_chain_that_was_not_seen_whole) {
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              image.header.autoclear_features = kAutoclearBitmaps;
              image.header.crypt_method = 2;
              image.put(112, std::uint32_t{0x23852875});
              image.put(116, std::uint32_t{8000});
            }),
            "ext/overrun");
  EXPECT_EQ(fired_with([](MemoryImage& image) {
              image.header.autoclear_features = kAutoclearBitmaps;
              image.header.crypt_method = 2;
            }),
            "ext/bitmaps-missing ext/luks-missing");
}

TEST(LoadExtensions, luks_area_past_the_end_of_the_file_counts_where_it_has_refcounts) {
  const auto with_refcounts = [](std::uint64_t clusters) {
    MemoryImage image;
    image.header.crypt_method = 2;
    RawLuksPointer pointer;
    pointer.offset = 4 * kCluster;
    pointer.length = 3 * kCluster;
    add(image, luks, bytes_of(pointer));
    for (std::uint64_t i = 0; i < clusters; ++i) image.put(2 * kCluster + (4 + i) * 2, std::uint16_t{1});
    Examination examination(image);
    EXPECT_TRUE(load_header(examination.context));
    load_extensions(examination.context);
    EXPECT_EQ(examination.context.luks_area.has_value(), clusters >= 3);
    return examination.fired();
  };
  EXPECT_EQ(with_refcounts(3), "");
  EXPECT_EQ(with_refcounts(2), "ext/luks-outside");
}

TEST(LoadExtensions, encryption_that_is_not_known_may_have_a_header) {
  const auto with_method = [](std::uint32_t method) {
    return fired_with([=](MemoryImage& image) {
      image.header.crypt_method = method;
      add(image, luks, std::string(16, '\0'));
    });
  };
  EXPECT_EQ(with_method(1), "ext/luks-unexpected");
  EXPECT_EQ(with_method(3), "header/crypt-method");
}

}  // namespace
}  // namespace cowvet
