#include "tests/support/memory_image.h"

#include <algorithm>
#include <stdexcept>

namespace cowvet {

MemoryImage::MemoryImage() : bytes(4 * kClusterBytes) {
  header = {.cluster_bits = 12,
            .size = 1 << 20,
            .l1_size = 1,
            .l1_table_offset = 3 * kClusterBytes,
            .refcount_table_offset = 1 * kClusterBytes,
            .refcount_table_clusters = 1,
            .header_length = kHeaderKnownBytes};
  put(kClusterBytes, std::uint64_t{2 * kClusterBytes});
  for (std::uint64_t cluster = 0; cluster < 4; ++cluster)
    put(2 * kClusterBytes + cluster * 2, std::uint16_t{1});
}

void MemoryImage::put(std::uint64_t offset, std::span<const std::byte> data) {
  const std::uint64_t end = divide_up(offset + data.size(), kClusterBytes) * kClusterBytes;
  if (bytes.size() < end) bytes.resize(end);
  std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

void MemoryImage::add_extension(std::uint32_t type, std::string_view data) {
  if (extensions_end_ == 0) extensions_end_ = header.header_length;
  put(extensions_end_, type);
  put(extensions_end_ + 4, static_cast<std::uint32_t>(data.size()));
  put(extensions_end_ + 8, data);
  extensions_end_ += 8 + divide_up(data.size(), 8) * 8;
}

std::vector<std::byte> MemoryImage::encoded() const {
  std::vector<std::byte> image = bytes;
  encode_header(header, image);
  return image;
}

Examination::Examination(std::unique_ptr<Device> image, Options opt)
    : device(std::move(image)), inputs{.image = *device}, options(opt), context(inputs, options, progress) {}

std::string Examination::fired() const {
  std::string ids;
  for (std::uint16_t row = 0; row < kRuleCount; ++row) {
    if (context.findings.added(RuleId(row)) == 0) continue;
    if (!ids.empty()) ids += ' ';
    ids += kRules[row].id;
  }
  return ids;
}

Finding Examination::first(std::string_view id) const {
  for (const Finding& finding : context.findings.sorted())
    if (finding.rule->id == id) return finding;
  throw std::runtime_error("rule did not fire");
}

}  // namespace cowvet
