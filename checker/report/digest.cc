#include "checker/report/digest.h"

#include <fmt/format.h>
#include <nettle/sha2.h>

#include <algorithm>
#include <vector>

#include "checker/analysis/refcount_table.h"
#include "checker/analysis/tables.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kPieceBytes = 1 << 20;

class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  void add(std::span<const std::byte> bytes) {
    sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
  }
  Sha256Digest finish() {
    Sha256Digest digest{};
    sha256_digest(&context_, digest.size(), reinterpret_cast<std::uint8_t*>(digest.data()));
    return digest;
  }

 private:
  sha256_ctx context_{};
};

// Adds what the device holds from `begin` to `end`.
std::expected<void, IoError> add_range(Sha256& hash, const Device& device, std::uint64_t begin,
                                       std::uint64_t end, Progress* progress = nullptr) {
  static const std::vector<std::byte> kZeros(kPieceBytes);
  std::vector<std::byte> piece(kPieceBytes);
  while (begin < end) {
    const DataExtent data = device.next_data(begin);
    const std::uint64_t hole_end = data.begin == data.end ? end : std::clamp(data.begin, begin, end);
    const bool hole = hole_end > begin;
    const std::uint64_t length = std::min(kPieceBytes, (hole ? hole_end : std::min(end, data.end)) - begin);
    const std::span<std::byte> bytes(piece.data(), length);
    if (!hole)
      if (const auto read = device.read(begin, bytes); !read) return std::unexpected(read.error());
    hash.add(hole ? std::span<const std::byte>(kZeros).first(length) : bytes);
    begin += length;
    if (progress) progress->advance(length);
  }
  return {};
}

// First and last byte of everything that is metadata, as the passes found it.
std::vector<DataExtent> metadata_of(const Context& context) {
  const std::uint64_t cluster_bytes = context.geometry.cluster_bytes;
  std::vector<DataExtent> ranges;
  for (const Area& area : context.areas)
    if (area.length != 0) ranges.push_back({area.offset, area.offset + area.length});
  if (context.refcounts)
    for (const std::uint64_t offset : context.refcounts->offsets)
      ranges.push_back({offset, offset + cluster_bytes});
  if (context.tables)
    for (const L2Table& table : context.tables->l2)
      if (table.walk) ranges.push_back({table.offset, table.offset + cluster_bytes});
  std::ranges::sort(ranges, {}, &DataExtent::begin);
  return ranges;
}

}  // namespace

std::string to_hex(const Sha256Digest& digest) {
  std::string text;
  for (const std::byte byte : digest) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

Sha256Digest sha256(std::string_view text) {
  Sha256 hash;
  hash.add(std::as_bytes(std::span(text)));
  return hash.finish();
}

std::expected<Sha256Digest, IoError> sha256_of_device(const Device& device, Progress* progress) {
  Sha256 hash;
  if (progress) progress->begin("hash_the_file", device.size_bytes());
  if (const auto added = add_range(hash, device, 0, device.size_bytes(), progress); !added)
    return std::unexpected(added.error());
  return hash.finish();
}

std::expected<Sha256Digest, IoError> sha256_of_metadata(const Context& context) {
  const unsigned bits = context.geometry.cluster_bits;
  Sha256 hash;
  std::uint64_t hashed_end = 0;  // bytes; areas that overlap are hashed once
  for (const DataExtent& range : metadata_of(context)) {
    const std::uint64_t end = std::min((((range.end - 1) >> bits) + 1) << bits, context.geometry.file_bytes);
    const std::uint64_t begin = std::max(range.begin >> bits << bits, hashed_end);
    if (begin >= end) continue;
    if (const auto added = add_range(hash, context.image, begin, end); !added)
      return std::unexpected(added.error());
    hashed_end = end;
  }
  return hash.finish();
}

}  // namespace cowvet
