// SHA-256 (Nettle) of an image, as evidence, and of pieces of text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>

#include "checker/analysis/context.h"
#include "checker/device/device.h"

namespace cowvet {

using Sha256Digest = std::array<std::byte, 32>;

std::string to_hex(const Sha256Digest& digest);

Sha256Digest sha256(std::string_view text);

// Of the whole file as any other program reads it. Holes are not read. `progress` counts bytes; may be null.
std::expected<Sha256Digest, IoError> sha256_of_device(const Device& device, Progress* progress = nullptr);

// Of every cluster that holds metadata (header, tables, refcount blocks, bitmap data), in the order of the
// file, each once; the last one of the file may be shorter. The passes must have run on `context`.
std::expected<Sha256Digest, IoError> sha256_of_metadata(const Context& context);

}  // namespace cowvet
