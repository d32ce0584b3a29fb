// The sound images whose fields the matrix damages: small, and together with every structure of the format.
#pragma once

#include <ostream>
#include <span>
#include <string_view>

#include "corpus/recipe.h"

namespace cowvet::matrix {

struct Base {
  std::string_view name;
  std::string_view statements;  // of a recipe: the image and its content
};

std::span<const Base> bases();

// For the names of tests.
inline std::ostream& operator<<(std::ostream& out, const Base& base) {
  return out << base.name;
}

corpus::Recipe recipe_of(const Base& base);

}  // namespace cowvet::matrix
