#include "tests/corpus/support.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "corpus/library.h"
#include "corpus/parse_recipe.h"

namespace cowvet::corpus {

const std::vector<Recipe>& all_recipes() {
  static const std::vector<Recipe> recipes = [] {
    auto loaded = load_recipes(COWVET_SOURCE_DIR "/corpus/recipes");
    if (!loaded) {
      std::fprintf(stderr, "%s\n", loaded.error().text().c_str());
      std::exit(1);
    }
    return *std::move(loaded);
  }();
  return recipes;
}

std::vector<std::string> recipe_names(bool (*wanted)(const Recipe&)) {
  std::vector<std::string> names;
  for (const Recipe& recipe : all_recipes())
    if (wanted(recipe)) names.push_back(recipe.name);
  return names;
}

const Recipe& recipe_named(const std::string& name) {
  return *find_recipe(all_recipes(), name);
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::ranges::replace_if(name, [](char c) { return c == '/' || c == '-'; }, '_');
  return name;
}

Recipe parse_one(const std::string& body) {
  const std::string text =
      "recipe test/one\nabout A test\nkind sound\n" + body + "\nexpect none\nexpect-status 0\n";
  const auto recipes = parse_recipes(text, "test.recipe");
  if (!recipes) {
    ADD_FAILURE() << recipes.error().text();
    return {};
  }
  return recipes->front();
}

}  // namespace cowvet::corpus
