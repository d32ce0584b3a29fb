// From a recipe to the bytes of an image. Deterministic, without QEMU and without the checker's analysis: the
// builder counts the references that it makes itself.
#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "corpus/guest_disk.h"
#include "corpus/layout.h"
#include "corpus/recipe.h"

namespace cowvet::corpus {

// Bytes that an analysis cannot read. They cannot be written to a file: built images have none.
struct UnreadableRange {
  bool data_file = false;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

struct BuiltImage {
  std::vector<std::byte> image;
  std::optional<std::vector<std::byte>> data_file;
  std::optional<std::vector<std::byte>> backing_file;
  std::vector<UnreadableRange> unreadable;
  Layout layout;
  // What the guest saw before the damage; with encryption, the encrypted content.
  GuestDisk disk;
  std::map<std::string, GuestDisk> snapshot_disks;  // by snapshot ID
};

std::expected<BuiltImage, RecipeError> build(const Recipe& recipe);

}  // namespace cowvet::corpus
