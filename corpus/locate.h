// Where the structures that a `set` statement names lie in a built image, and their fields in them.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "corpus/fields.h"
#include "corpus/layout.h"
#include "corpus/recipe.h"

namespace cowvet::corpus {

struct Stretch {
  std::uint64_t offset = 0;  // bytes, in the image
  std::uint64_t length = 0;
};

// The structure that `set` is about; not for single refcounts, see locate_refcount. The error is a message.
std::expected<Stretch, std::string> locate_structure(const Layout& layout, const SetFields& set);

// The bytes of a field of that structure. The error: the structure is too short to have it.
std::expected<Stretch, std::string> locate_field(const Layout& layout, const SetFields& set,
                                                 const Stretch& structure, const Field& field);

// The refcount of a cluster, as a field that counts from `offset`, the beginning of its refcount block.
struct LocatedRefcount {
  std::uint64_t offset = 0;
  Field field;
};
std::expected<LocatedRefcount, std::string> locate_refcount(const Layout& layout, std::uint64_t cluster);

}  // namespace cowvet::corpus
