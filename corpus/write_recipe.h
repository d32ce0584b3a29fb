// Back from bytes to text: the recipe of an image that a random test or a fuzzer has damaged.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "corpus/build.h"
#include "corpus/recipe.h"

namespace cowvet::corpus {

// A recipe `found/NAME` that builds the bytes of `damaged`: the image and content of `base`, of which `sound`
// was built, then a `patch` for each run of bytes that differ. It expects what the checker finds now; NAME
// follows from the bytes, so that one case is one recipe. The data file must not be longer than it was.
std::string recipe_of_damage(const Recipe& base, const BuiltImage& sound, const BuiltImage& damaged);

// Writes such a recipe to found/NAME.recipe below $COWVET_SAVE_RECIPES, or else below the current directory,
// where `cowvet-corpus build --recipes` finds it. Returns what to say of it: file and command, or the error.
std::string save_recipe(const std::string& text);

}  // namespace cowvet::corpus
