// What the tests of the corpus share.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "corpus/build.h"
#include "corpus/recipe.h"

namespace cowvet::corpus {

// The recipes of the source tree; the program ends with a message where one cannot be parsed.
const std::vector<Recipe>& all_recipes();
std::vector<std::string> recipe_names(bool (*wanted)(const Recipe&));
const Recipe& recipe_named(const std::string& name);

// A test's name may have letters, digits and underscores only.
std::string test_name(const testing::TestParamInfo<std::string>& info);

// The one recipe in `text`, to which a heading and expectations are added.
Recipe parse_one(const std::string& body);

}  // namespace cowvet::corpus
