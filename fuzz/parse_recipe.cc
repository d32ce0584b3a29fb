// Any text is a list of recipes or an error that names a line.
#include "corpus/parse_recipe.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto recipes = cowvet::corpus::parse_recipes(text, "input");
  if (!recipes && recipes.error().text().empty()) std::abort();
  return 0;
}
