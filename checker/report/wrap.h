// Line breaking for text of our own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cowvet {

inline constexpr std::size_t kTextWidth = 96;  // columns

// `text` broken at spaces into lines of at most kTextWidth bytes (a longer word stands alone), every line but
// the first indented by `indent` spaces; the caller has already written `column` columns of the first. Ends
// with a line feed.
std::string wrap(std::string_view text, std::size_t indent, std::size_t column);

// The same with the first line indented too.
inline std::string wrap_indented(std::string_view text, std::size_t indent) {
  return std::string(indent, ' ') + wrap(text, indent, indent);
}

}  // namespace cowvet
