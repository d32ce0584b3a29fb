// Pieces of HTML. Everything that came from an image goes through html_text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checker/analysis/finding.h"

namespace cowvet {

// `text` for use between tags and in quoted attributes: characters that could mean anything to a browser or
// confuse a reader are escaped (see escape.h), and what is longer than `most_bytes` is cut.
std::string html_text(std::string_view text, std::size_t most_bytes = 200);

// A link that shows the bytes in the map of the image file, or in that of the guest's disk.
std::string file_link(std::uint64_t offset, std::uint64_t length, std::string_view label);
std::string disk_link(const GuestRange& range, std::string_view label);

}  // namespace cowvet
