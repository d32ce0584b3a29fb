#include "corpus/build.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <sstream>

#include "checker/format/entries.h"
#include "corpus/fields.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

BuiltImage build_one(const std::string& body) {
  auto built = build(parse_one(body));
  EXPECT_TRUE(built) << built.error().text();
  return *std::move(built);
}

std::string build_error(const std::string& body) {
  const auto built = build(parse_one(body));
  return built ? "no error" : built.error().text();
}

std::uint64_t number_at(const BuiltImage& built, std::uint64_t offset) {
  return load_big_endian<std::uint64_t>(built.image.data() + offset);
}

TEST(Builder, makes_the_same_bytes_every_time) {
  for (const Recipe& recipe : all_recipes()) {
    const auto first = build(recipe), second = build(recipe);
    ASSERT_TRUE(first) << first.error().text();
    ASSERT_TRUE(second);
    EXPECT_EQ(first->image, second->image) << recipe.name;
    EXPECT_EQ(first->data_file, second->data_file) << recipe.name;
  }
}

TEST(Builder, writes_to_shared_clusters_by_copying_them) {
  const BuiltImage built = build_one("image size=1M\nwrite 0+128K\nsnapshot 1\nwrite 0+64K with=0x22");
  const Layout& layout = built.layout;
  const auto* kept = layout.find_cluster(*layout.find_l1("1"), 0);
  const auto* written = layout.find_cluster(layout.l1, 0);
  EXPECT_NE(kept->host_offset, written->host_offset);
  EXPECT_EQ(layout.clusters.references(kept->host_offset), 1u);
  EXPECT_EQ(layout.clusters.references(layout.find_cluster(layout.l1, 64 << 10)->host_offset), 2u);
  EXPECT_EQ(number_at(built, layout.l2_offset(layout.l1, 0)), written->host_offset | kCopied);
}

TEST(Builder, places_name_what_was_laid_out) {
  const BuiltImage built = build_one("image size=1M\nwrite 0+128K\nset l2 guest=0 offset=guest:64K");
  const Layout& layout = built.layout;
  const std::uint64_t entry = number_at(built, layout.l2_offset(layout.l1, 0));
  EXPECT_EQ(entry, layout.find_cluster(layout.l1, 64 << 10)->host_offset | kCopied);
}

TEST(Builder, refuses_places_that_the_image_does_not_have) {
  EXPECT_EQ(build_error("set l2 guest=0 copied=0"),
            "test.recipe:4: 'set': the image has no L2 table for guest offset 0");
  EXPECT_EQ(build_error("patch at=snapshot:7 hex=00"),
            "test.recipe:4: 'snapshot:7': the image has no snapshot 7");
}

TEST(Builder, refuses_values_that_do_not_fit_their_field) {
  EXPECT_EQ(build_error("write 0+64K\nset l2 guest=0 offset=1"),
            "test.recipe:5: 'offset': the value has bits outside of this field");
  EXPECT_EQ(build_error("set header version=0x100000000"),
            "test.recipe:4: 'version': the value has bits outside of this field");
}

TEST(Builder, refuses_images_larger_than_it_can_keep_in_memory) {
  EXPECT_NE(build_error("image size=8G\nwrite 0+4G with=zeros").find("larger than 1 GiB"), std::string::npos);
}

std::vector<Field> number_fields(Target target) {
  std::vector<Field> fields;
  std::istringstream names(field_names(target));
  for (std::string name; names >> name;) {
    const auto field = find_field(target, name, 16);
    if (field && field->type == Field::Type::number) fields.push_back(*field);
  }
  return fields;
}

class FieldsOf : public testing::TestWithParam<Target> {};

TEST_P(FieldsOf, a_structure_can_be_set_without_touching_their_neighbours) {
  for (const Field& field : number_fields(GetParam())) {
    std::vector<std::byte> bytes(1024);
    std::uint64_t most = field.mask >> field.shift;
    if (field.width < 8) most &= (std::uint64_t{1} << (8 * field.width)) - 1;
    ASSERT_TRUE(store_field(field, most, bytes)) << field.name;
    EXPECT_EQ(load_field(field, bytes), most) << field.name;
    std::ranges::fill(std::span(bytes).subspan(field.offset, field.width), std::byte{0});
    EXPECT_TRUE(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; })) << field.name;
  }
}

TEST_P(FieldsOf, a_structure_refuse_what_does_not_fit) {
  for (const Field& field : number_fields(GetParam())) {
    std::vector<std::byte> bytes(1024);
    if (field.width == 8 && field.mask == ~std::uint64_t{0}) continue;
    EXPECT_FALSE(store_field(field, ~std::uint64_t{0}, bytes)) << field.name;
    EXPECT_TRUE(std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; })) << field.name;
  }
}

INSTANTIATE_TEST_SUITE_P(all, FieldsOf,
                         testing::Values(Target::header, Target::extension, Target::feature_name, Target::l1,
                                         Target::l2, Target::refcount_table, Target::snapshot, Target::bitmap,
                                         Target::bitmap_table, Target::luks, Target::luks_slot));

}  // namespace
}  // namespace cowvet::corpus
