// The words of one statement, taken one by one. Whatever is not taken in the end is an error, so that no
// word of a recipe is ever ignored.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checker/format/units.h"
#include "corpus/place.h"
#include "corpus/recipe.h"
#include "corpus/words.h"

namespace cowvet::corpus {

class Arguments {
 public:
  // `words` without the verb.
  Arguments(Where where, std::string verb, std::vector<Word> words, FirstError& error)
      : where_(std::move(where)),
        verb_(std::move(verb)),
        words_(std::move(words)),
        taken_(words_.size()),
        error_(error) {}

  const Where& where() const { return where_; }
  const std::string& verb() const { return verb_; }

  // The next word without a key. `what` is for the message when there is none.
  std::string next(std::string_view what);
  std::optional<std::string> next_if_any();
  GuestRange next_range();

  // Whether the word stands anywhere in the statement.
  bool flag(std::string_view name);

  // KEY=VALUE, in the forms that a value may have.
  std::optional<std::string> text(std::string_view key);
  std::optional<std::uint64_t> number(std::string_view key);
  std::optional<GuestRange> range(std::string_view key);
  std::vector<GuestRange> ranges(std::string_view key);  // the key may be repeated
  std::optional<Expression> expression(std::string_view key);
  Pattern pattern(std::string_view key, Pattern if_absent);
  // The power of two that VALUE is.
  std::optional<unsigned> power_of_two(std::string_view key, unsigned least, unsigned most);
  // text=, hex= or random bytes; one of them.
  std::string bytes();
  template <typename T>
  std::optional<T> one_of(std::string_view key, const std::map<std::string, T>& choices);
  // Every KEY op VALUE that was not taken yet.
  std::vector<Word> rest_with_keys();

  Expression to_expression(const std::string& source);
  void fail(std::string word, std::string message) {
    error_.add(where_, std::move(word), std::move(message));
  }
  // Complains of words that were not taken.
  void finish();

 private:
  const Word* find(std::string_view key);
  std::optional<GuestRange> to_range(const Word& word, std::string_view text);

  Where where_;
  std::string verb_;
  std::vector<Word> words_;
  std::vector<bool> taken_;
  FirstError& error_;
};

template <typename T>
std::optional<T> Arguments::one_of(std::string_view key, const std::map<std::string, T>& choices) {
  const auto value = text(key);
  if (!value) return std::nullopt;
  if (const auto it = choices.find(*value); it != choices.end()) return it->second;
  std::string names;
  for (const auto& [name, choice] : choices) names += (names.empty() ? "" : ", ") + name;
  fail(*value, std::string(key) + " is one of " + names);
  return std::nullopt;
}

}  // namespace cowvet::corpus
