// Packs and what comes out of them, in memory.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "checker/pack/blank_image.h"
#include "checker/pack/pack_format.h"

namespace cowvet {

struct Unpacked {
  std::vector<std::byte> image;
  std::optional<std::vector<std::byte>> data_file;
};

std::string pack(const BlankImage& blank);

std::expected<Unpacked, std::string> unpack(const std::string& text, std::uint64_t most_bytes = 1 << 30);

}  // namespace cowvet
