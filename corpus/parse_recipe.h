// Text to recipes. Strict: a word that means nothing is an error that names file, line and word.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/arguments.h"
#include "corpus/recipe.h"

namespace cowvet::corpus {

std::expected<std::vector<Recipe>, RecipeError> parse_recipes(std::string_view text, const std::string& file);

// The parts of a recipe, in the order in which they must stand.
enum class Part : std::uint8_t { heading, image, steps, damage, expectations };

// One statement of the language. The functions are in parse_image.cc, parse_steps.cc, parse_damage.cc and
// parse_expectations.cc.
struct Verb {
  std::string_view name;
  Part part;
  void (*parse)(Recipe&, Arguments&);
};

std::span<const Verb> image_verbs();
std::span<const Verb> step_verbs();
std::span<const Verb> damage_verbs();
std::span<const Verb> expectation_verbs();

// The type of a header extension by its name in the language (backing-format, feature-names, bitmaps, luks,
// data-file-name, end) or its number.
std::optional<std::uint32_t> parse_extension_type(const std::string& name);

}  // namespace cowvet::corpus
