#include "corpus/library.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> recipe_files(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code problem;
  for (auto it = fs::recursive_directory_iterator(directory, problem); !problem && it != fs::end(it);
       it.increment(problem))
    if (it->path().extension() == ".recipe") files.push_back(it->path());
  std::ranges::sort(files);
  return files;
}

// Appends the recipes of a file.
void load_file(const fs::path& path, std::vector<Recipe>& out, FirstError& error) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return error.add({path.string(), 0}, "", "cannot be read");
  auto recipes = parse_recipes(text, path.string());
  if (!recipes) return error.add(recipes.error().where, recipes.error().word, recipes.error().message);
  const std::string group = path.parent_path().filename().string() + "/";
  for (Recipe& recipe : *recipes) {
    if (!recipe.name.starts_with(group))
      error.add(recipe.where, recipe.name, "the name must begin with that of the folder, " + group);
    out.push_back(std::move(recipe));
  }
}

void forbid_duplicates(const std::vector<Recipe>& recipes, FirstError& error) {
  std::map<std::string, Where> names;
  for (const Recipe& recipe : recipes)
    if (const auto [it, fresh] = names.try_emplace(recipe.name, recipe.where); !fresh)
      error.add(recipe.where, recipe.name, "is also the name of the recipe in " + it->second.file);
}

}  // namespace

std::expected<std::vector<Recipe>, RecipeError> load_recipes(const fs::path& directory) {
  FirstError error;
  std::vector<Recipe> all;
  for (const fs::path& path : recipe_files(directory)) load_file(path, all, error);
  forbid_duplicates(all, error);
  if (all.empty()) error.add({directory.string(), 0}, "", "holds no recipes");
  if (error.any()) return std::unexpected(*error.get());
  return all;
}

const Recipe* find_recipe(const std::vector<Recipe>& recipes, std::string_view name) {
  const auto it = std::ranges::find(recipes, name, &Recipe::name);
  return it == recipes.end() ? nullptr : &*it;
}

}  // namespace cowvet::corpus
