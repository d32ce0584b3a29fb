// Images with damage that keeps their structure: one of the sound images of the matrix and a list of changes
// to its fields, both taken from the bytes of a fuzzer's input.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "corpus/build.h"
#include "corpus/list_fields.h"

namespace cowvet::fuzz {

// A sound image that is small enough to be examined a few hundred times a second.
struct Base {
  corpus::Recipe recipe;
  corpus::BuiltImage built;
  std::vector<corpus::ListedField> fields;
  std::vector<std::uint64_t> places;  // offsets of its structures, to be named by mistake
};

const std::vector<Base>& bases();

// The first byte selects the base, each group of bytes behind it one change; what is left over is ignored.
struct Mutant {
  const Base* base = nullptr;
  corpus::BuiltImage image;
  std::vector<std::string> changes;  // for people
};
Mutant make_mutant(std::span<const std::uint8_t> input);

}  // namespace cowvet::fuzz
