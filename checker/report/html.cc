#include "checker/report/html.h"

#include <fmt/format.h>

#include "checker/report/escape.h"

namespace cowvet {
namespace {

std::string link(std::string_view map, std::uint64_t offset, std::uint64_t length, std::string_view label) {
  return fmt::format(
      R"( <a class="place" href="#{0}-map" data-map="{0}" data-offset="{1}" data-length="{2}">{3}</a>)", map,
      offset, length, html_text(label));
}

}  // namespace

std::string html_text(std::string_view text, std::size_t most_bytes) {
  const bool cut = text.size() > most_bytes;
  std::string out;
  for (const char c : escape_for_terminal(text.substr(0, most_bytes))) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return cut ? out + " ..." : out;
}

std::string file_link(std::uint64_t offset, std::uint64_t length, std::string_view label) {
  return link("file", offset, length, label);
}

std::string disk_link(const GuestRange& range, std::string_view label) {
  return link("disk", range.offset, range.length, label);
}

}  // namespace cowvet
