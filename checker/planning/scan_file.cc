#include "checker/planning/scan_file.h"

namespace cowvet {

std::vector<std::byte> read_padded(const Device& image, std::uint64_t offset, std::uint64_t bytes) {
  if (offset >= image.size_bytes()) return {};
  std::vector<std::byte> content(bytes);
  const std::uint64_t there = std::min(bytes, image.size_bytes() - offset);
  if (!image.read(offset, std::span(content).first(there))) return {};
  return content;
}

}  // namespace cowvet
