// Whatever bytes an image's fixed metadata is made of, the passes that load it end, stay in bounds, and claim
// only what is there.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "checker/analysis/passes.h"
#include "corpus/build.h"
#include "corpus/parse_recipe.h"
#include "tests/support/memory_image.h"

namespace cowvet {
namespace {

corpus::BuiltImage build_image(const std::string& statements) {
  const std::string text = "recipe hostile/image\n  about All fixed metadata\n  kind sound\n" + statements +
                           "  expect none\n  expect-status 0\n";
  const auto recipes = corpus::parse_recipes(text, "hostile");
  if (!recipes) throw std::runtime_error(recipes.error().text());
  auto built = corpus::build(recipes->at(0));
  if (!built) throw std::runtime_error(built.error().text());
  return std::move(*built);
}

// A place among the metadata, and eight bytes for it: mostly numbers at the edges of what makes sense.
struct Damage {
  std::uint64_t offset = 0;
  std::uint64_t value = 0;
  unsigned bytes = 8;
};

rc::Gen<Damage> damage_of(const std::vector<std::uint64_t>& places, std::uint64_t file_bytes) {
  return rc::gen::apply(
      [](std::uint64_t place, std::uint64_t at, std::uint64_t value, unsigned bytes) {
        return Damage{place + at, value, bytes};
      },
      rc::gen::elementOf(places), rc::gen::inRange<std::uint64_t>(0, 160),
      rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(),
                     rc::gen::element<std::uint64_t>(0, 1, ~std::uint64_t{0}, std::uint64_t{1} << 63,
                                                     file_bytes, file_bytes - 1, ~std::uint64_t{4095}),
                     rc::gen::map(rc::gen::inRange<std::uint64_t>(0, file_bytes / 4096 + 2),
                                  [](std::uint64_t cluster) { return cluster * 4096; })),
      rc::gen::element(1u, 2u, 4u, 8u));
}

void apply(const Damage& damage, std::vector<std::byte>& image) {
  for (unsigned i = 0; i < damage.bytes; ++i)
    if (const std::uint64_t at = damage.offset + i; at < image.size())
      image[at] = static_cast<std::byte>(damage.value >> (8 * (damage.bytes - 1 - i)));
}

// The passes in the order of analyze.cc.
bool load(Context& context) {
  if (!load_header(context)) return false;
  load_extensions(context);
  load_snapshots(context);
  load_bitmaps(context);
  check_luks(context);
  return true;
}

void expect_claims_in_file(const Context& context) {
  for (const Area& area : context.areas) {
    if (area.structure == Structure::luks_header || area.structure == Structure::header) continue;
    RC_ASSERT(context.clusters_in_file(area.offset, area.length));
  }
  for (const Area& area : context.stale_areas) RC_ASSERT(context.clusters_in_file(area.offset, area.length));
}

void survive(const corpus::BuiltImage& built, const std::vector<std::uint64_t>& places) {
  const auto damages =
      *rc::gen::resize(6, rc::gen::container<std::vector<Damage>>(damage_of(places, built.image.size())));
  std::vector<std::byte> image = built.image;
  for (const Damage& damage : damages) apply(damage, image);
  Examination examination(image, {.deep = true});
  if (load(examination.context)) expect_claims_in_file(examination.context);
  if (damages.empty()) RC_ASSERT(examination.fired() == "");
}

void showValue(const Damage& damage, std::ostream& os) {
  os << damage.bytes << " bytes of " << damage.value << " at " << damage.offset;
}

TEST(LoadHostile, snapshots_and_bitmaps) {
  const corpus::BuiltImage built = build_image(
      "  image cluster=4K size=16M feature-names\n"
      "  backing base.raw format=raw\n"
      "  write 0+8K\n"
      "  snapshot 1 name=one\n"
      "  snapshot 2 name=two\n"
      "  bitmap b1 granularity=512 set=0+64K\n"
      "  bitmap b2 granularity=64K set=1M+64K\n");
  const corpus::Layout& layout = built.layout;
  const std::vector<std::uint64_t> places = {0,
                                             112,
                                             400,
                                             512,
                                             layout.snapshot_table_offset,
                                             layout.bitmap_directory_offset,
                                             layout.bitmaps[0].entry.table_offset};
  EXPECT_TRUE(rc::check("the passes end and claim what is there", [&] { survive(built, places); }));
}

TEST(LoadHostile, luks_header) {
  const corpus::BuiltImage built = build_image("  image cluster=4K size=1M crypt=luks\n  luks\n");
  const std::uint64_t luks = built.layout.luks_offset;
  const std::vector<std::uint64_t> places = {0, 112, luks, luks + 208, luks + 400};
  EXPECT_TRUE(rc::check("the passes end and claim what is there", [&] { survive(built, places); }));
}

}  // namespace
}  // namespace cowvet
