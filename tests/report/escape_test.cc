#include "checker/report/escape.h"

#include <gtest/gtest.h>

namespace cowvet {
namespace {

using namespace std::string_view_literals;

TEST(EscapeForTerminal, leaves_text_alone) {
  EXPECT_EQ(escape_for_terminal("daily \\ \"x\" \xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xbe"),
            "daily \\ \"x\" \xc3\xa4 \xe2\x82\xac \xf0\x9f\x92\xbe");
}

TEST(EscapeForTerminal, names_control_characters) {
  EXPECT_EQ(escape_for_terminal("\x1b[31m\n\t\0\x7f"sv), "\\x1b[31m\\n\\t\\x00\\x7f");
  EXPECT_EQ(escape_for_terminal("\xc2\x9b"), "\\u{009b}");  // CSI in one character
}

TEST(EscapeForTerminal, names_characters_that_change_the_direction_or_break_the_line) {
  // NOLINTBEGIN(misc-misleading-bidirectional): that is the point
  EXPECT_EQ(escape_for_terminal("a\xe2\x80\xae"
                                "b"),
            "a\\u{202e}b");
  EXPECT_EQ(escape_for_terminal("\xe2\x80\xa8\xe2\x81\xa6"), "\\u{2028}\\u{2066}");
  // NOLINTEND(misc-misleading-bidirectional)
}

TEST(EscapeForTerminal, names_bytes_that_are_not_utf8) {
  EXPECT_EQ(escape_for_terminal("\xff\x80z"), "\\xff\\x80z");
  EXPECT_EQ(escape_for_terminal("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(escape_for_terminal("\xe0\x80\x80"), "\\xe0\\x80\\x80");           // overlong
  EXPECT_EQ(escape_for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(escape_for_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(escape_for_terminal("\xe2\x82"), "\\xe2\\x82");                    // cut
}

TEST(Quote, escapes_its_own_quotes) {
  EXPECT_EQ(quote("a\"b\\c\n"), "\"a\\\"b\\\\c\\n\"");
}

}  // namespace
}  // namespace cowvet
