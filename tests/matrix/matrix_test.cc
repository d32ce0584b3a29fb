// Every field of every structure, changed in every way: the checker notices, the repair with all consents
// ends, leaves what its plan said and shows the guest what its plan said. What may be otherwise is in
// exceptions.cc, with the reason.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/matrix/bases.h"
#include "tests/matrix/exceptions.h"
#include "tests/matrix/judge.h"
#include "tests/matrix/verbs.h"

namespace cowvet::matrix {
namespace {

// How the cases of one image came out.
struct Tally {
  int cases = 0;
  int unnoticed = 0;    // legal
  int header_lost = 0;  // reported, but nothing behind the header can be read
  int clean = 0;        // repaired
  int partly = 0;       // repaired as far as it can be
  int refused = 0;      // a file too large for memory
};

class Matrix : public testing::TestWithParam<Base> {
 protected:
  void judge_case(const corpus::ListedField& field, Verb verb, corpus::BuiltImage damaged) {
    SCOPED_TRACE(fmt::format("{} {} {}: patch at={} hex={}", GetParam().name, field.name(), to_string(verb),
                             field.offset + field.field.offset, hex_of(field, damaged)));
    const Verdict verdict = judge(recipe_, *sound_, std::move(damaged));
    ++tally_.cases;
    for (const std::string& broken : verdict.broken) ADD_FAILURE() << broken;
    if (!verdict.noticed) {
      ++tally_.unnoticed;
      EXPECT_NE(why_legal(field, verb), "") << "the checker does not notice";
    } else if (!verdict.planned) {
      ++tally_.header_lost;
    } else if (!verdict.unfit.empty() || verdict.is_too_large) {
      ++tally_.refused;
      EXPECT_EQ(verdict.unfit, "");
    } else {
      ++(verdict.is_clean ? tally_.clean : tally_.partly);
      for (const std::string& rule : verdict.left) EXPECT_NE(why_left(rule), "") << "left: " << rule;
    }
  }

  static std::string hex_of(const corpus::ListedField& field, const corpus::BuiltImage& built) {
    std::string text;
    const std::size_t begin = field.offset + field.field.offset;
    for (std::size_t i = begin; i < begin + field.field.width; ++i)
      text += fmt::format("{:02x}", static_cast<unsigned>(built.image[i]));
    return text;
  }

  const corpus::Recipe recipe_ = recipe_of(GetParam());
  const std::expected<corpus::BuiltImage, corpus::RecipeError> sound_ = corpus::build(recipe_);
  Tally tally_;
};

TEST_P(Matrix, damage_to_any_field_is_noticed_and_repaired_as_planned) {
  ASSERT_TRUE(sound_) << sound_.error().text();
  for (const corpus::ListedField& field : corpus::list_fields(*sound_)) {
    for (const Verb verb : kVerbs) {
      corpus::BuiltImage damaged = *sound_;
      if (apply(verb, field, sound_->layout.shape.cluster_bytes, damaged.image))
        judge_case(field, verb, std::move(damaged));
    }
  }
  fmt::print("{}: {} cases: {} legal, {} repaired, {} in part, {} refused, {} without a header\n",
             GetParam().name, tally_.cases, tally_.unnoticed, tally_.clean, tally_.partly, tally_.refused,
             tally_.header_lost);
  RecordProperty("matrix_cases", tally_.cases);
  EXPECT_GT(tally_.clean, tally_.cases / 4);
}

INSTANTIATE_TEST_SUITE_P(, Matrix, testing::ValuesIn(bases().begin(), bases().end()),
                         [](const testing::TestParamInfo<Base>& base) {
                           return std::string(base.param.name);
                         });

}  // namespace
}  // namespace cowvet::matrix
