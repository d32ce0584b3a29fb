// Places of single fields, for findings: the offset comes from the on-disk structure itself.
#pragma once

#include <cstdint>

#include "checker/analysis/finding.h"

namespace cowvet {

// The place of `member` of an on-disk structure of type Raw that lies at image offset `base`.
template <typename Raw, typename Field>
Place place_of(Structure structure, std::uint64_t base, Field Raw::* member) {
  const Raw raw{};
  const auto* begin = reinterpret_cast<const char*>(&raw);
  const auto* field = reinterpret_cast<const char*>(&(raw.*member));
  return {.structure = structure,
          .offset = base + static_cast<std::uint64_t>(field - begin),
          .length = sizeof(Field)};
}

}  // namespace cowvet
