// `qemu-img check` against the checker on random damage to random images: what QEMU calls corrupt or leaking
// the checker must not call better, and where it says more than QEMU, the table of differences says why. The
// shortest case that fails is saved as a recipe. RC_PARAMS="max_success=10000" makes a long run of other
// cases; the seed that it prints repeats it.
#include <gtest/gtest.h>

#include <cstdlib>

#include "checker/report/verdict.h"
#include "corpus/compare_findings.h"
#include "corpus/examine.h"
#include "corpus/list_fields.h"
#include "corpus/parse_recipe.h"
#include "corpus/write_recipe.h"
#include "tests/corpus/qemu_differences.h"
#include "tests/corpus/random_image.h"
#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

constexpr int kTimeout = 124;  // what `timeout` exits with

void damage_number(const Field& field, std::span<std::byte> structure, const BuiltImage& sound) {
  const std::uint64_t old = load_field(field, structure);
  const std::uint64_t cluster = sound.layout.shape.cluster_bytes;
  const std::uint64_t values[] = {old ^ std::uint64_t{1} << below(64),
                                  0,
                                  ~std::uint64_t{0},
                                  old + 1,
                                  old - 1,
                                  old + cluster,
                                  old - cluster,
                                  below(sound.image.size() / cluster + 2) * cluster};
  std::uint64_t bits = field.mask;
  if (field.width < 8) bits &= (std::uint64_t{1} << 8 * field.width) - 1;
  store_field(field, values[below(std::size(values))] & bits >> field.shift, structure);
}

void damage_once(BuiltImage& built, const BuiltImage& sound, const std::vector<ListedField>& fields) {
  if (below(20) == 0) return built.image.resize(built.image.size() - 512 * below(built.image.size() / 512));
  const ListedField& listed = fields[below(fields.size())];
  const std::uint64_t begin = listed.offset + listed.field.offset;
  if (begin + listed.field.width > built.image.size()) return;
  if (listed.field.type == Field::Type::bytes)
    built.image[begin + below(listed.field.width)] = static_cast<std::byte>(below(256));
  else
    damage_number(listed.field, std::span(built.image).subspan(listed.offset), sound);
}

bool has_row(const Report& report, int status, int qemu) {
  return std::ranges::any_of(report.totals, [&](const RuleTotal& total) {
    return find_difference(total.rule->id, status, qemu) != nullptr;
  });
}

bool has_reason(const Report& report, int status, int qemu) {
  if (report.header.crypt_method != 0 && qemu == kRefused)
    return true;  // it examines nothing without the key
  // Both see leaks, and QEMU does not see what is worse.
  const bool leaks = std::ranges::count(report.totals, Severity::leak, &RuleTotal::worst) != 0;
  return has_row(report, status, qemu) ||
         (leaks && qemu == kExitLeaks && has_row(report, status, kExitSound));
}

// One random case.
struct Case {
  Recipe recipe = parse_one(RandomImage().body());
  std::expected<BuiltImage, RecipeError> sound = build(recipe);
  std::optional<BuiltImage> damaged;

  void damage() {
    damaged = *sound;
    const std::vector<ListedField> fields = list_fields(*sound);
    for (std::uint64_t left = 1 + below(3); left != 0; --left) damage_once(*damaged, *sound, fields);
  }
};

// The suite runs the same cases every time; RC_PARAMS asks for others.
void choose_cases() {
  setenv("RC_PARAMS", "seed=1 max_success=60", 0);
}

TEST(RandomDamage, is_judged_as_qemu_does_or_there_is_a_reason) {
  choose_cases();
  std::string failed;
  EXPECT_TRUE(rc::check([&failed] {
    Case random;
    RC_PRE(random.sound.has_value());
    random.damage();
    const Report report = examine(random.recipe, *random.damaged, 1);
    const int status = exit_status_of(report, {});
    const int qemu = check_by_qemu(random.recipe, *random.damaged).status;
    if (agrees(status, qemu) || qemu == kTimeout || has_reason(report, status, qemu)) return;
    failed = recipe_of_damage(random.recipe, *random.sound, *random.damaged);
    RC_FAIL(fmt::format("qemu-img check exits with {}, the checker with {}", qemu, status));
  })) << save_recipe(failed);
}

TEST(RandomDamage, as_a_recipe_builds_the_same_bytes) {
  choose_cases();
  EXPECT_TRUE(rc::check([] {
    Case random;
    RC_PRE(random.sound.has_value());
    random.damage();
    const std::string text = recipe_of_damage(random.recipe, *random.sound, *random.damaged);
    const auto recipes = parse_recipes(text, "found.recipe");
    if (!recipes) RC_FAIL(recipes.error().text() + "\n" + text);
    const auto again = build(recipes->front());
    if (!again) RC_FAIL(again.error().text() + "\n" + text);
    RC_ASSERT(again->image == random.damaged->image);
    RC_ASSERT(compare_findings(recipes->front(), *again, examine(recipes->front(), *again, 1)) == "");
  }));
}

}  // namespace
}  // namespace cowvet::corpus
