#include "corpus/expand_variants.h"

#include "corpus/words.h"

namespace cowvet::corpus {
namespace {

using Block = std::vector<Line>;

// Comments between two recipes belong to the second, but are not kept.
std::vector<Block> divide(std::string_view text, const std::string& file, FirstError& error) {
  std::vector<Block> blocks;
  unsigned number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    Line line{{file, ++number}, std::string(text.substr(0, end))};
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    const std::string word = first_word(line.text);
    if (word.starts_with('#')) continue;
    if (word == "recipe") blocks.emplace_back();
    if (!blocks.empty())
      blocks.back().push_back(std::move(line));
    else if (!word.empty())
      error.add(line.where, word, "a file begins with 'recipe GROUP/NAME'");
  }
  return blocks;
}

bool replace_all(std::string& text, const std::string& from, const std::string& to) {
  bool any = false;
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
    any = true;
  }
  return any;
}

// Expands the `for` line at `index` and, by recursion, those behind it.
void expand(Block block, std::size_t index, std::vector<Block>& out, FirstError& error) {
  while (index < block.size() && first_word(block[index].text) != "for") ++index;
  if (index >= block.size()) {
    out.push_back(std::move(block));
    return;
  }
  const Line line = block[index];
  block.erase(block.begin() + static_cast<std::ptrdiff_t>(index));
  const auto words = split_line(line.text, line.where);
  if (!words || words->size() < 4 || (*words)[2].source != "in")
    return error.add(line.where, "for", "for NAME in VALUE VALUE ... is expected");
  const std::string variable = "$" + (*words)[1].source;
  for (std::size_t i = 3; i < words->size(); ++i) {
    Block variant = block;
    bool named = false;
    for (Line& text : variant) {
      const bool replaced = replace_all(text.text, variable, (*words)[i].value);
      if (&text == &variant.front()) named = replaced;
    }
    if (!named) return error.add(line.where, variable, "must be part of the recipe's name");
    expand(std::move(variant), index, out, error);
  }
}

}  // namespace

std::string first_word(const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return line.substr(begin, line.find_first_of(" \t", begin) - begin);
}

std::vector<std::vector<Line>> expand_variants(std::string_view text, const std::string& file,
                                               FirstError& error) {
  std::vector<Block> recipes;
  for (Block& block : divide(text, file, error)) expand(std::move(block), 1, recipes, error);
  for (const Block& block : recipes)
    for (const Line& line : block)
      if (const auto at = line.text.find('$'); at != std::string::npos && first_word(line.text) != "about")
        error.add(line.where, line.text.substr(at), "no 'for' line gives this a value");
  return recipes;
}

}  // namespace cowvet::corpus
