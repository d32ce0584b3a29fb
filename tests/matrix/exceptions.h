// What the matrix may leave, reviewed: values that are legal, damage that stays, and plans that are refused.
#pragma once

#include <string>
#include <string_view>

#include "corpus/list_fields.h"
#include "tests/matrix/verbs.h"

namespace cowvet::matrix {

// Why no checker can notice that this field was changed by this verb; empty: it must be noticed.
std::string_view why_legal(const corpus::ListedField& field, Verb verb);

// Why findings of this rule may be left although every consent was given; empty: they may not.
std::string_view why_left(const corpus::ListedField& field, std::string_view rule);

// Why a plan may be refused by its own rehearsal; empty: it must be fit. Each is a repair that we lack, not
// one that does harm.
std::string_view why_unfit(const corpus::ListedField& field, const std::string& reason);

}  // namespace cowvet::matrix
