#include "corpus/parse_recipe.h"

#include <algorithm>

#include "corpus/expand_variants.h"

namespace cowvet::corpus {
namespace {

void parse_kind(Recipe& recipe, Arguments& words) {
  const std::string kind = words.next("sound, near-miss or damaged");
  for (const Kind k : {Kind::sound, Kind::near_miss, Kind::damaged})
    if (kind == to_string(k)) {
      recipe.kind = k;
      return;
    }
  words.fail(kind, "a recipe is sound, near-miss or damaged");
}

void parse_rule(Recipe& recipe, Arguments& words) {
  const std::string id = words.next("the id of a rule");
  const std::uint16_t row = find_rule(id);
  if (row == kRuleCount)
    words.fail(id, "no such rule in the catalogue");
  else
    recipe.rule = RuleId(row);
}

constexpr Verb kHeadingVerbs[] = {
    {"kind", Part::heading, parse_kind},
    {"rule", Part::heading, parse_rule},
};

const Verb* find_verb(std::string_view name) {
  for (const std::span<const Verb> verbs : {std::span<const Verb>(kHeadingVerbs), image_verbs(), step_verbs(),
                                            damage_verbs(), expectation_verbs()})
    for (const Verb& verb : verbs)
      if (verb.name == name) return &verb;
  return nullptr;
}

std::string verb_names() {
  std::string names = "about";
  for (const std::span<const Verb> verbs : {std::span<const Verb>(kHeadingVerbs), image_verbs(), step_verbs(),
                                            damage_verbs(), expectation_verbs()})
    for (const Verb& verb : verbs) names += ' ' + std::string(verb.name);
  return names;
}

// Reads the statements of one recipe.
class RecipeReader {
 public:
  RecipeReader(Recipe& recipe, FirstError& error) : recipe_(recipe), error_(error) {}

  void read(const Line& line) {
    if (first_word(line.text) == "about") return read_about(line);
    auto words = split_line(line.text, line.where);
    if (!words) return error_.add(line.where, words.error().word, words.error().message);
    if (words->empty()) return;
    const std::string verb = words->front().source;
    const Verb* found = find_verb(verb);
    if (!found) return error_.add(line.where, verb, "no such statement; there are " + verb_names());
    if (found->part < part_)
      return error_.add(line.where, verb,
                        "comes too late: image, content, damage, expectations is the order");
    part_ = found->part;
    seen_.push_back(verb);
    Arguments arguments(line.where, verb, {words->begin() + 1, words->end()}, error_);
    found->parse(recipe_, arguments);
    arguments.finish();
  }

  void finish() {
    const auto needs = [this](std::string_view verb) {
      if (std::ranges::find(seen_, verb) == seen_.end())
        error_.add(recipe_.where, recipe_.name, "a '" + std::string(verb) + "' line is missing");
    };
    if (recipe_.about.empty()) error_.add(recipe_.where, recipe_.name, "an 'about' line is missing");
    needs("kind");
    if (recipe_.kind != Kind::sound) needs("rule");
    needs("expect");
    needs("expect-status");
    if (recipe_.expects_none && !recipe_.expectations.empty())
      error_.add(recipe_.where, recipe_.name, "expects something and nothing");
    if (recipe_.kind == Kind::sound && recipe_.expected_status != 0)
      error_.add(recipe_.where, recipe_.name, "what is sound has status 0");
    if (recipe_.kind != Kind::sound && (recipe_.kind == Kind::damaged) != expects_its_rule())
      error_.add(recipe_.where, recipe_.name, "damaged recipes, and only they, expect their own rule");
  }

 private:
  bool expects_its_rule() const {
    return std::ranges::any_of(recipe_.expectations, [this](const Expectation& expectation) {
      return expectation.required && expectation.rule == recipe_.rule;
    });
  }

  void read_about(const Line& line) {
    const std::size_t begin = line.text.find("about") + 5;
    const std::size_t text = line.text.find_first_not_of(" \t", begin);
    if (text == std::string::npos) return error_.add(line.where, "about", "says nothing");
    if (!recipe_.about.empty()) recipe_.about += ' ';
    recipe_.about += line.text.substr(text);
  }

  Recipe& recipe_;
  FirstError& error_;
  Part part_ = Part::heading;
  std::vector<std::string> seen_;
};

bool is_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '/';
  };
  return std::ranges::all_of(name, fits) && std::ranges::count(name, '/') == 1 && !name.starts_with('/') &&
         !name.ends_with('/');
}

Recipe read_recipe(const std::vector<Line>& lines, FirstError& error) {
  Recipe recipe{.where = lines.front().where};
  const auto heading = split_line(lines.front().text, recipe.where);
  if (!heading) {
    error.add(heading.error().where, heading.error().word, heading.error().message);
    return recipe;
  }
  if (heading->size() != 2 || !is_name((*heading)[1].source)) {
    error.add(recipe.where, heading->back().source,
              "recipe GROUP/NAME is expected, in letters, digits and hyphens");
    return recipe;
  }
  recipe.name = (*heading)[1].source;
  RecipeReader reader(recipe, error);
  for (const Line& line : lines) {
    recipe.text += line.text + '\n';
    if (&line != &lines.front()) reader.read(line);
  }
  while (recipe.text.ends_with("\n\n")) recipe.text.pop_back();
  reader.finish();
  return recipe;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::sound:
      return "sound";
    case Kind::near_miss:
      return "near-miss";
    case Kind::damaged:
      return "damaged";
  }
  return "";
}

std::expected<std::vector<Recipe>, RecipeError> parse_recipes(std::string_view text,
                                                              const std::string& file) {
  FirstError error;
  std::vector<Recipe> recipes;
  for (const std::vector<Line>& lines : expand_variants(text, file, error)) {
    if (error.any()) break;
    recipes.push_back(read_recipe(lines, error));
  }
  if (error.any()) return std::unexpected(*error.get());
  return recipes;
}

}  // namespace cowvet::corpus
