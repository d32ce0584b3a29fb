#include "checker/report/wrap.h"

namespace cowvet {

std::string wrap(std::string_view text, std::size_t indent, std::size_t column) {
  std::string out;
  bool at_start = true;  // of a line
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (word.empty()) continue;
    if (!at_start && column + 1 + word.size() > kTextWidth) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      at_start = true;
    }
    if (!at_start) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    at_start = false;
  }
  return out + '\n';
}

}  // namespace cowvet
