// The recipes of the corpus, and the files that one describes, in memory.
#pragma once

#include <optional>
#include <vector>

#include "corpus/build.h"
#include "corpus/library.h"

namespace cowvet {

inline const std::vector<corpus::Recipe>& recipes() {
  static const std::vector<corpus::Recipe> all =
      corpus::load_recipes(COWVET_SOURCE_DIR "/corpus/recipes").value();
  return all;
}

struct RecipeFiles {
  explicit RecipeFiles(const corpus::Recipe& recipe) {
    corpus::BuiltImage built = corpus::build(recipe).value();
    image = std::move(built.image);
    data_file = std::move(built.data_file);
    if (recipe.data_file && recipe.data_file->found != corpus::DataFile::Found::yes) data_file.reset();
  }

  std::vector<std::byte> image;
  std::optional<std::vector<std::byte>> data_file;  // if it is there
};

}  // namespace cowvet
