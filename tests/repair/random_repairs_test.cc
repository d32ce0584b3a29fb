// Sound recipes with random damage to their metadata, repaired on disk: what holds for the recipes' own
// damage holds for any.
//
// COWVET_RANDOM_REPAIRS=N tries N of them, COWVET_RANDOM_SEED=N others than usual.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "checker/format/entries.h"
#include "tests/repair/proven_repair.h"

namespace cowvet {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// With guest data that QEMU can read, and small.
std::vector<const corpus::Recipe*> sound_recipes() {
  std::vector<const corpus::Recipe*> recipes;
  for (const corpus::Recipe& recipe : all_recipes())
    if (recipe.kind == corpus::Kind::sound && recipe.image.crypt == CryptMethod::none &&
        !recipe.steps.empty() && recipe.image.size_bytes <= std::uint64_t{64} << 20)
      recipes.push_back(&recipe);
  return recipes;
}

class Damager {
 public:
  Damager(corpus::BuiltImage& built, std::mt19937_64& random) : built_(built), random_(random) {}

  // Changes one number of a header field, table or refcount block that is in use.
  void damage() {
    is_l2_entry_ = false;
    const std::uint64_t at = choose_place();
    if (at + 8 > built_.image.size()) return;
    std::byte* raw = built_.image.data() + at;
    const auto old = load_big_endian<std::uint64_t>(raw);
    const std::uint64_t changes[] = {old ^ std::uint64_t{1} << below(64),
                                     old + 512,
                                     old + built_.layout.shape.cluster_bytes,
                                     old ^ kCopied,
                                     load_big_endian<std::uint64_t>(built_.image.data() + at / 16 * 16),
                                     random_(),
                                     0};
    // Nobody can tell an L2 entry that was wiped from one that was never used.
    const std::size_t choices = std::size(changes) - is_l2_entry_;
    store_big_endian(raw, changes[below(choices)]);
    note_ += fmt::format("{:#x}: {:#x} -> {:#x}; ", at, old, load_big_endian<std::uint64_t>(raw));
  }
  const std::string& note() const { return note_; }

 private:
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }

  std::uint64_t choose_place() {
    const corpus::Layout& layout = built_.layout;
    switch (below(6)) {
      case 0:
        return 24 + below(9) * 8;  // the header from the size to the compatible features
      case 1:
        return layout.l1.offset + below(std::max<std::size_t>(layout.l1.l2_offsets.size(), 1)) * 8;
      case 2:
      case 3:
        return entry_of_an_l2_table();
      case 4:
        return layout.snapshots.empty() ? layout.clusters.refcount_table_offset()
                                        : layout.snapshots[below(layout.snapshots.size())].l1.offset;
      default:
        return layout.clusters.refcount_blocks().front() + below(16) * 8;
    }
  }

  std::uint64_t entry_of_an_l2_table() {
    is_l2_entry_ = true;
    const auto& tables = built_.layout.l2_tables;
    if (tables.empty()) return 0;
    const auto& [offset, table] =
        *std::next(tables.begin(), static_cast<std::ptrdiff_t>(below(tables.size())));
    if (table.entries.empty()) return offset;
    const auto entry =
        std::next(table.entries.begin(), static_cast<std::ptrdiff_t>(below(table.entries.size())));
    return offset + entry->first * built_.layout.shape.l2_entry_bytes;
  }

  corpus::BuiltImage& built_;
  std::mt19937_64& random_;
  std::string note_;
  bool is_l2_entry_ = false;
};

TEST(RandomRepair, holds_on_disk_and_for_qemu) {
  const std::vector<const corpus::Recipe*> recipes = sound_recipes();
  std::mt19937_64 random(number_from_environment("COWVET_RANDOM_SEED", 1));
  const std::uint64_t rounds = number_from_environment("COWVET_RANDOM_REPAIRS", 60);
  std::uint64_t repaired = 0, healed = 0, unfit = 0;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const corpus::Recipe& recipe = *recipes[random() % recipes.size()];
    corpus::BuiltImage built = corpus::build(recipe).value();
    Damager damager(built, random);
    const std::uint64_t times = 1 + random() % 2;
    for (std::uint64_t n = 0; n < times; ++n) damager.damage();
    const RepairMode modes[] = {
        {.name = "safe", .options = {.deep = true}, .gives_nothing = times == 1},
        {.name = "all consents", .options = {.allow_metadata = true, .allow_lossy = true, .deep = true}}};
    for (const RepairMode& mode : modes) {
      SCOPED_TRACE(fmt::format("round {}: {}, {}, {}", i, recipe.name, damager.note(), mode.name));
      ProvenRepair repair(recipe, built, mode);
      if (times > 1) repair.allow_any_content_where_none_was_read();
      if (!repair.plan() || repair.plan()->empty()) continue;
      if (!repair.plan()->unfit.empty()) {
        ++unfit;
        continue;
      }
      ++repaired;
      healed += repair.carry_out();
    }
  }
  fmt::print("{} repairs, {} of them left the image sound; {} plans were unfit\n", repaired, healed, unfit);
  EXPECT_GT(repaired, rounds / 4);
  EXPECT_GT(healed, rounds / 8);
}

}  // namespace
}  // namespace cowvet
