// What may happen to a field: each verb gives it another value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/list_fields.h"

namespace cowvet::matrix {

enum class Verb : std::uint8_t {
  zero,
  ones,
  first_bit,  // the highest one becomes its opposite
  middle_bit,
  last_bit,
  add,       // the smallest amount that the field can express
  subtract,  // the same; of 0: the largest number
  random,
  add_cluster,  // of numbers that count bytes: one cluster
  subtract_cluster,
};

inline constexpr Verb kVerbs[] = {
    Verb::zero, Verb::ones,     Verb::first_bit, Verb::middle_bit,  Verb::last_bit,
    Verb::add,  Verb::subtract, Verb::random,    Verb::add_cluster, Verb::subtract_cluster};

std::string_view to_string(Verb verb);

// Applies the verb to the field in `image`. False, and nothing is changed: the field has that value already,
// the verb means nothing to it, or the file ends before the field does.
bool apply(Verb verb, const corpus::ListedField& field, std::uint64_t cluster_bytes,
           std::span<std::byte> image);

}  // namespace cowvet::matrix
