// What the matrix may leave, reviewed: values that are legal, and damage that stays.
#pragma once

#include <string>
#include <string_view>

#include "corpus/list_fields.h"
#include "tests/matrix/verbs.h"

namespace cowvet::matrix {

// Why no checker can notice that this field was changed by this verb; empty: it must be noticed.
std::string_view why_legal(const corpus::ListedField& field, Verb verb);

// Why findings of this rule may be left although every consent was given; empty: they may not.
std::string_view why_left(std::string_view rule);

}  // namespace cowvet::matrix
