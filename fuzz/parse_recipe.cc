// Any text is a list of recipes or an error that names a line.
#include "corpus/parse_recipe.h"

#include <cstdlib>

#include "fuzz/bounds.h"

void cowvet::fuzz::run_input(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto recipes = cowvet::corpus::parse_recipes(text, "input");
  if (!recipes && recipes.error().text().empty()) std::abort();
}
