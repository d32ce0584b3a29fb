// Every field of every structure of the format by its name in the specification, so that a recipe can set it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "corpus/recipe.h"

namespace cowvet::corpus {

struct Field {
  enum class Type : std::uint8_t { number, bytes };

  std::string_view name;
  std::size_t offset = 0;  // in the structure
  std::size_t width = 8;   // bytes
  Type type = Type::number;
  // Of numbers: the bits that are the field's. `shift` is 0 for offsets, which are stored in place.
  std::uint64_t mask = ~std::uint64_t{0};
  unsigned shift = 0;
};

// All fields of a structure; the places of some follow only from the image, see locate.h.
std::vector<Field> fields_of(Target target, unsigned cluster_bits);

// The field of a structure; nothing where it has no such field. The fields of a compressed descriptor depend
// on the cluster size; the name of one is known whatever the size.
std::optional<Field> find_field(Target target, std::string_view name, unsigned cluster_bits);

std::string field_names(Target target);

std::uint64_t load_field(const Field& field, std::span<const std::byte> structure);

// False: the value has bits that are not the field's.
bool store_field(const Field& field, std::uint64_t value, std::span<std::byte> structure);

}  // namespace cowvet::corpus
