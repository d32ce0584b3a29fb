// Names from images are untrusted: a snapshot's name may hold terminal escapes, line feeds, or bytes that are
// no UTF-8 at all. Whatever reaches a terminal goes through here first.
#pragma once

#include <string>
#include <string_view>

namespace cowvet {

// `text` as valid UTF-8 on one line: control characters (C0, DEL, C1), line and paragraph separators and
// characters that change the direction of writing become \n, \t, \xNN or \u{NNNN}, and so do bytes that
// are not UTF-8.
std::string escape_for_terminal(std::string_view text);

// `text` in double quotes, escaped as above, with quotes and backslashes escaped too: what a name from an
// image looks like in a message.
std::string quote(std::string_view text);

}  // namespace cowvet
