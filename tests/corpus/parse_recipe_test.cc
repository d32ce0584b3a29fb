#include "corpus/parse_recipe.h"

#include <gtest/gtest.h>

#include "tests/corpus/support.h"

namespace cowvet::corpus {
namespace {

constexpr const char* kHeading = "recipe test/one\nabout A test\nkind sound\n";  // three lines
constexpr const char* kEnd = "\nexpect none\nexpect-status 0\n";

// The error text for a statement on line 4.
std::string error_of(const std::string& statement) {
  const auto recipes = parse_recipes(kHeading + statement + kEnd, "f.recipe");
  return recipes ? "no error" : recipes.error().text();
}

struct Wrong {
  const char* statement;
  const char* error;  // its beginning
};

class WrongStatement : public testing::TestWithParam<Wrong> {};

TEST_P(WrongStatement, is_reported_with_file_line_and_word) {
  EXPECT_TRUE(error_of(GetParam().statement).starts_with(GetParam().error)) << GetParam().statement << "\n"
                                                                            << error_of(GetParam().statement);
}

INSTANTIATE_TEST_SUITE_P(
    statements, WrongStatement,
    testing::Values(Wrong{"paint it=black", "f.recipe:4: 'paint': no such statement"},
                    Wrong{"image colour=red", "f.recipe:4: 'colour=red': 'image' knows no such word"},
                    Wrong{"image cluster=3K", "f.recipe:4: 'cluster=3K': a power of two from 512 to 2097152"},
                    Wrong{"image size=1M size=2M", "f.recipe:4: 'size=2M': given twice"},
                    Wrong{"image size=lots", "f.recipe:4: 'size=lots': a number is expected"},
                    Wrong{"image size=0x1M", "f.recipe:4: 'size=0x1M': a number is expected"},
                    Wrong{"image extended-l2 cluster=4K", "f.recipe:4: 'extended-l2': needs clusters of 16K"},
                    Wrong{"write", "f.recipe:4: 'write': a guest range OFFSET+LENGTH is missing"},
                    Wrong{"write 64K", "f.recipe:4: '64K': a range is expected"},
                    Wrong{"write 0+64K with=gold", "f.recipe:4: 'with=gold': content is"},
                    Wrong{"write 0+64K twice", "f.recipe:4: 'twice': 'write' knows no such word"},
                    Wrong{"set header colour=1", "f.recipe:4: 'colour=1': fields of header are: magic"},
                    Wrong{"set roof tiles=1", "f.recipe:4: 'roof': one of these can be set: header"},
                    Wrong{"set l2 copied=0", "f.recipe:4: 'set': guest= is missing"},
                    Wrong{"set l1 guest=0 offset=nowhere:0", "f.recipe:4: 'nowhere:0': a number or a place"},
                    Wrong{"set header size=l2", "f.recipe:4: 'l2': a number or a place"},
                    Wrong{"set header", "f.recipe:4: 'set': FIELD=VALUE is missing"},
                    Wrong{"patch at=0 hex=123", "f.recipe:4: 'hex=123': pairs of hexadecimal digits"},
                    Wrong{"extension 7 text=\"open",
                          "f.recipe:4: 'text=\"open': the closing quote is missing"},
                    Wrong{"expect l2/unheard-of", "f.recipe:4: 'l2/unheard-of': no such rule"},
                    Wrong{"policy \"allow anything\"", "f.recipe:4: 'allow anything\n': line 1: "},
                    Wrong{"policy", "f.recipe:4: 'policy': preboot, or statements"},
                    Wrong{"expect-status 9", "f.recipe:4: '9': 0, 1, 2, 3 or 63 is expected"},
                    Wrong{"remedy some \"why\"", "f.recipe:4: 'remedy': 'remedy none' and the reason"},
                    Wrong{"remedy none", "f.recipe:4: 'remedy': the reason is missing"},
                    Wrong{"kind strange", "f.recipe:4: 'strange': a recipe is sound"},
                    Wrong{"for n in 1 2", "f.recipe:4: '$n': must be part of the recipe's name"},
                    Wrong{"write 0+$n", "f.recipe:4: '$n': no 'for' line"}));

TEST(Recipe, statements_out_of_order_are_refused) {
  EXPECT_TRUE(error_of("write 0+64K\nimage size=1M").starts_with("f.recipe:5: 'image': comes too late"));
}

TEST(Recipe, every_part_is_needed) {
  for (const std::string missing : {"about", "kind", "expect ", "expect-status"}) {
    std::string text = std::string(kHeading) + kEnd;
    const auto at = text.find("\n" + missing) + 1;
    text.erase(at, text.find('\n', at) - at);
    const auto recipes = parse_recipes(text, "f.recipe");
    ASSERT_FALSE(recipes) << missing;
    EXPECT_NE(recipes.error().text().find("line is missing"), std::string::npos) << recipes.error().text();
  }
}

TEST(Recipe, near_misses_and_damaged_ones_name_their_rule) {
  const auto recipes = parse_recipes(
      "recipe test/one\nabout A test\nkind near-miss\nexpect none\nexpect-status 0\n", "f.recipe");
  ASSERT_FALSE(recipes);
  EXPECT_EQ(recipes.error().text(), "f.recipe:1: 'test/one': a 'rule' line is missing");
}

TEST(Recipe, says_why_nothing_heals_it) {
  const auto recipes = parse_recipes(
      "recipe test/one\nabout A test\nkind sound\nexpect none\nexpect-status 0\nremedy none \"so it is\"\n",
      "f.recipe");
  ASSERT_TRUE(recipes) << recipes.error().text();
  EXPECT_EQ(recipes->front().why_no_remedy, "so it is");
}

TEST(Recipe, variants_are_all_combinations_of_their_values) {
  const auto recipes = parse_recipes(
      "recipe test/$a-$b\nabout $a and $b\nkind sound\nfor a in 1 2\nfor b in x y\nexpect "
      "none\nexpect-status 0\n",
      "f.recipe");
  ASSERT_TRUE(recipes) << recipes.error().text();
  std::vector<std::string> names;
  for (const Recipe& recipe : *recipes) names.push_back(recipe.name);
  EXPECT_EQ(names, (std::vector<std::string>{"test/1-x", "test/1-y", "test/2-x", "test/2-y"}));
  EXPECT_EQ(recipes->back().about, "2 and y");
}

TEST(Recipe, lines_behind_a_for_line_keep_their_numbers) {
  const auto recipes = parse_recipes("recipe test/$a\nfor a in 1\nabout\n", "f.recipe");
  ASSERT_FALSE(recipes);
  EXPECT_EQ(recipes.error().where.line, 3u);
}

TEST(Recipe, quoted_text_may_have_escapes_and_repetition) {
  const Recipe recipe = parse_one("extension 7 text=\"a \\\"b\\\"\\x00\\\\\"\nextension 8 text=\"xy\"*3");
  EXPECT_EQ(recipe.extensions.at(0).data, std::string("a \"b\"\0\\", 7));
  EXPECT_EQ(recipe.extensions.at(1).data, "xyxyxy");
}

TEST(Numbers, have_suffixes_or_are_hexadecimal) {
  EXPECT_EQ(parse_number("64K"), 65536u);
  EXPECT_EQ(parse_number("0x1f"), 31u);
  EXPECT_EQ(parse_number("18446744073709551615"), ~std::uint64_t{0});
  for (const char* wrong : {"", "K", "-1", "1KK", "0x", "18446744073709551616", "16777216T", "1.5M"})
    EXPECT_EQ(parse_number(wrong), std::nullopt) << wrong;
}

TEST(Places, are_sums_of_numbers_and_named_places) {
  const auto expression = parse_expression("l2-entry:3M@s-x+512-8");
  ASSERT_TRUE(expression);
  ASSERT_EQ(expression->terms.size(), 3u);
  EXPECT_EQ(expression->terms[0].place->kind, PlaceKind::l2_entry);
  EXPECT_EQ(expression->terms[0].place->number, 3u << 20);
  EXPECT_EQ(expression->terms[0].place->snapshot, "s-x");
  EXPECT_EQ(expression->terms[1].number, 512u);
  EXPECT_TRUE(expression->terms[2].negative);
}

}  // namespace
}  // namespace cowvet::corpus
