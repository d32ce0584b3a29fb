// What is wrong with a recipe, and where: shown as "FILE:LINE: 'WORD': MESSAGE".
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace cowvet::corpus {

// A line of a recipe file.
struct Where {
  std::string file;
  unsigned line = 0;  // from 1
};

struct RecipeError {
  Where where;
  std::string word;  // empty: the whole line
  std::string message;

  std::string text() const {
    std::string out = where.file + ":" + std::to_string(where.line) + ": ";
    if (!word.empty()) out += "'" + word + "': ";
    return out + message;
  }
};

// Keeps the first error. Readers go on with harmless values, so that a statement is read without a branch
// behind every word; whoever started the reading asks for the error at the end.
class FirstError {
 public:
  void add(Where where, std::string word, std::string message) {
    if (!error_) error_ = RecipeError{std::move(where), std::move(word), std::move(message)};
  }
  bool any() const { return error_.has_value(); }
  const std::optional<RecipeError>& get() const { return error_; }

 private:
  std::optional<RecipeError> error_;
};

}  // namespace cowvet::corpus
