// Damage of several kinds at once, repaired without any consent: what the guest had written is overwritten by
// no repair, and where no damage is left, no cluster of it is free to be given away.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "checker/analysis/bytes.h"
#include "checker/device/memory_device.h"
#include "corpus/parse_recipe.h"
#include "tests/planning/planned_repair.h"
#include "tests/support/carry_out.h"

namespace cowvet {
namespace {

// Not among them: a pointer to a refcount block that the refcount table does not name. It looks like any
// other.
constexpr const char* kPointers[] = {
    "set l2 guest=4K offset=guest:2M",   // two guest clusters share one
    "set l2 guest=8K offset=guest:12K",  // the same, in one table
    "set l2 guest=2052K offset=1T",      // behind the end of the file
    "set l2 guest=16K offset=guest:20K+512",
    "set l2 guest=4M offset=l2:0",  // on metadata
    "set l1 guest=2M raw=0",        // a table is lost
    "set l1 guest=0 offset=l2:2M",  // two entries share a table
    "set l1 guest=2M offset=1T",
    "set l1 guest=4M offset=guest:0",  // data instead of a table
    "set header l1_table_offset=guest:32K",
    "set header l1_size=1",
};

// What is lost with a table and with what named it leaves no trace: these come with no damaged pointer.
constexpr const char* kTables[] = {
    "fill at=l2:2M",
    "fill at=l2:0 with=0x5a",
    "fill at=l1",
    "fill at=l1 with=0x5a",
};

// Not among them: a refcount of a single cluster that says that just this one is free.
constexpr const char* kCounts[] = {
    "set refcount-table index=0 raw=0",
    "set refcount-table index=0 offset=1T",
    "set refcount-table index=0 offset=guest:24K",
    "fill at=refcount-block:0",
    "fill at=refcount-block:0 length=512",
    "set header refcount_table_offset=0",
    "set header refcount_table_offset=file-end",
    "set header refcount_table_offset=guest:28K",
};

// A pointer that names another structure, whichever.
constexpr const char* kStrays[] = {
    "set header l1_table_offset={}",
    "set header refcount_table_offset={}",
    "set header snapshots_offset={}",
    "set extension bitmaps bitmap_directory_offset={}",
    "set snapshot 1 l1_table_offset={}",
    "set bitmap a bitmap_table_offset={}",
    "set bitmap-table b index=0 offset={}",
    "set refcount-table index=0 offset={}",
    "set l1 guest=2M offset={}",
    "set l1 guest=0 snapshot=1 offset={}",
    "set l2 guest=4K offset={}",
    "set l2 guest=8K snapshot=1 offset={}",
};
constexpr const char* kPlaces[] = {
    "header",         "refcount-table",   "refcount-block:0", "l1",        "l1@1",         "l2:0",
    "l2:4M",          "l2:0@1",           "guest:0",          "guest:0@1", "guest:2M",     "snapshot-table",
    "bitmap-table:a", "bitmap-directory", "bitmap-table:b",   "file-end",  "next-cluster", "guest:12K+512",
};

struct Shape {
  const char* name;
  const char* image;
  const char* more = "";
};

constexpr Shape kShapes[] = {
    {"plain", "image cluster=4K size=8M"},
    {"small_clusters", "image cluster=512 size=8M"},
    {"wide_refcounts", "image cluster=4K size=8M refcount-bits=64"},
    {"subclusters", "image cluster=16K size=16M extended-l2"},
    {"version_2", "image cluster=4K size=8M version=2"},
    {"snapshot", "image cluster=4K size=8M", "  snapshot 1\n  write 0+16K with=random\n"},
};

corpus::BuiltImage build(const Shape& shape, const std::string& damage) {
  const std::string text = fmt::format(
      "recipe test/disk\n  about A test\n  kind sound\n  {}\n  write 0+64K with=random\n"
      "  write 2M+64K with=random\n  write 4M+32K with=random\n"
      "{}{}  expect none\n  expect-status 0\n",
      shape.image, shape.more, damage);
  const auto recipes = corpus::parse_recipes(text, "test");
  if (!recipes) throw std::runtime_error(recipes.error().text());
  auto built = corpus::build(recipes->front());
  if (!built) throw std::runtime_error(built.error().text());
  return *std::move(built);
}

bool leaves_damage(const Plan& plan) {
  return std::ranges::any_of(plan.remaining, [](const RuleTotal& total) {
    return total.rule->severity == Severity::corruption || total.rule->severity == Severity::unchecked;
  });
}

// Whether some cluster that is counted (where counts are known) holds these bytes.
bool is_kept(std::span<const std::byte> content, std::span<const std::byte> image,
             const std::vector<std::uint64_t>& counts) {
  if (leading_zeros(content) == content.size()) return true;
  for (std::size_t at = 0; at + content.size() <= image.size(); at += content.size())
    if ((counts.empty() || counts.at(at / content.size()) != 0) &&
        std::ranges::equal(image.subspan(at, content.size()), content))
      return true;
  return false;
}

// What must not happen to the guest's clusters without consent; empty: it did not.
std::string find_loss(const Shape& shape, const std::string& damage) {
  const corpus::BuiltImage sound = build(shape, "");
  const corpus::BuiltImage damaged = build(shape, damage);
  std::vector<std::byte> image = damaged.image;
  const auto plan = [&] {
    const MemoryDevice device(damaged.image);
    return make_plan({device, {}, {}}, {.deep = true, .threads = 1});
  }();
  if (!plan || !plan->unfit.empty() || plan->empty()) return "";
  std::optional<std::vector<std::byte>> no_data_file;
  if (!carry_out(*plan, image, no_data_file)) return "the plan cannot be carried out";
  const std::uint64_t cluster_bytes = std::uint64_t{1} << sound.layout.header.cluster_bits;
  const std::vector<std::uint64_t> counts =
      leaves_damage(*plan) ? std::vector<std::uint64_t>{} : stored_refcounts(image);
  for (const auto& [table_offset, table] : sound.layout.l2_tables)
    for (const auto& [index, entry] : table.entries) {
      if (entry.host_offset == 0) continue;  // compressed
      const std::span content = std::span(damaged.image).subspan(entry.host_offset, cluster_bytes);
      if (!is_kept(content, image, counts))
        return fmt::format("what the guest's cluster at {:#x} holds is lost", entry.host_offset);
    }
  return "";
}

// What is left when all consents are given, and what is lost is given up; empty: nothing.
std::string find_rest(const Shape& shape, const std::string& damage) {
  const corpus::BuiltImage damaged = build(shape, damage);
  std::vector<std::byte> image = damaged.image;
  const MemoryDevice device(damaged.image);
  const auto plan = make_plan({device, {}, {}},
                              {.allow_metadata = true,
                               .allow_lossy = true,
                               .choices = {{"refcount/orphan-mapping", "free"}, {"overlap/metadata", "drop"}},
                               .deep = true,
                               .threads = 1});
  if (!plan) return plan.error();
  if (!plan->unfit.empty()) return plan->unfit;
  std::optional<std::vector<std::byte>> no_data_file;
  if (!carry_out(*plan, image, no_data_file)) return "the plan cannot be carried out";
  std::string rest;
  for (const RuleTotal& total : plan->remaining)
    if (total.worst != Severity::notice) rest += fmt::format("{} ", total.rule->id);
  return rest;
}

class SilentLoss : public testing::TestWithParam<Shape> {};

TEST_P(SilentLoss, does_not_happen_when_pointers_and_refcounts_are_damaged) {
  for (const char* pointer : kPointers)
    for (const char* count : kCounts) {
      const std::string damage = fmt::format("  {}\n  {}\n", pointer, count);
      EXPECT_EQ(find_loss(GetParam(), damage), "") << GetParam().image << "\n" << damage;
    }
}

TEST_P(SilentLoss, does_not_happen_when_tables_are_wiped_and_refcounts_are_damaged) {
  for (const char* table : kTables)
    for (const char* count : kCounts) {
      const std::string damage = fmt::format("  {}\n  {}\n", table, count);
      EXPECT_EQ(find_loss(GetParam(), damage), "") << GetParam().image << "\n" << damage;
    }
}

TEST_P(SilentLoss, does_not_happen_when_two_pointers_and_refcounts_are_damaged) {
  for (std::size_t i = 0; i < std::size(kPointers); ++i)
    for (std::size_t k = i + 1; k < std::size(kPointers); ++k)
      for (const char* count : kCounts) {
        const std::string damage = fmt::format("  {}\n  {}\n  {}\n", kPointers[i], kPointers[k], count);
        EXPECT_EQ(find_loss(GetParam(), damage), "") << GetParam().image << "\n" << damage;
      }
}

constexpr const char* kRich =
    "  snapshot 1\n  write 0+16K with=random\n  compress 6M+64K\n  snapshot 2\n  write 4K+4K with=random\n"
    "  bitmap a set=0+64K granularity=4K\n  bitmap b set=2M+64K granularity=512\n";
constexpr Shape kRichShapes[] = {
    {"plain", "image cluster=4K size=8M", kRich},
    {"small_clusters", "image cluster=512 size=8M", kRich},
    {"larger_clusters", "image cluster=16K size=8M", kRich},
    {"byte_refcounts", "image cluster=4K size=8M refcount-bits=8", kRich},
    {"subclusters", "image cluster=16K size=16M extended-l2", kRich},
};

class StrayedPointers : public testing::TestWithParam<Shape> {};

TEST_P(StrayedPointers, are_repaired_and_silence_no_loss) {
  for (const char* stray : kStrays)
    for (const char* place : kPlaces) {
      const std::string damage = fmt::format("  {}\n", fmt::format(fmt::runtime(stray), place));
      EXPECT_EQ(find_loss(GetParam(), damage), "") << damage;
      EXPECT_EQ(find_rest(GetParam(), damage), "") << damage;
    }
}

INSTANTIATE_TEST_SUITE_P(all, StrayedPointers, testing::ValuesIn(kRichShapes),
                         [](const auto& test) { return test.param.name; });
INSTANTIATE_TEST_SUITE_P(all, SilentLoss, testing::ValuesIn(kShapes),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace cowvet
