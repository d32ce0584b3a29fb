// The recipes of a directory: every *.recipe file below it, in the order of their names.
#pragma once

#include <expected>
#include <filesystem>
#include <string_view>
#include <vector>

#include "corpus/recipe.h"

namespace cowvet::corpus {

// A recipe GROUP/NAME must lie in a folder GROUP; no name may be used twice.
std::expected<std::vector<Recipe>, RecipeError> load_recipes(const std::filesystem::path& directory);

// nullptr where there is none.
const Recipe* find_recipe(const std::vector<Recipe>& recipes, std::string_view name);

}  // namespace cowvet::corpus
