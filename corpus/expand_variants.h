// Divides a file into recipes and writes out those with variants: `for size in 512 4K 64K` makes three of
// one, with $size replaced in every line. Several `for` lines make all combinations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "corpus/recipe_error.h"

namespace cowvet::corpus {

struct Line {
  Where where;
  std::string text;
};

// What a line says first; empty where it says nothing.
std::string first_word(const std::string& line);

// Each recipe begins with its `recipe` line; `for` lines are gone.
std::vector<std::vector<Line>> expand_variants(std::string_view text, const std::string& file,
                                               FirstError& error);

}  // namespace cowvet::corpus
