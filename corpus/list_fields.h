// Every field of every structure that a built image has, with its place: for tests that damage each of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "corpus/build.h"
#include "corpus/fields.h"

namespace cowvet::corpus {

struct ListedField {
  std::string_view kind;  // of the structure: "header", "l2", "backing-name", ...
  std::string structure;  // as a `set` statement names it: "l2 guest=64K snapshot=1"
  std::uint64_t offset;   // of the structure; `field` counts from it
  Field field;            // with its place and width, even if they follow from the image

  std::string name() const { return structure + " " + std::string(field.name); }
};

// Of entries that are alike (L2 entries of one state in one table, refcounts of clusters of one use) the
// first one stands for all. Refcounts and table entries that nothing uses are listed too. The image must not
// be damaged.
std::vector<ListedField> list_fields(const BuiltImage& built);

}  // namespace cowvet::corpus
