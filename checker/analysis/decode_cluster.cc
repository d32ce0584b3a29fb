#include "checker/analysis/decode_cluster.h"

#include "checker/analysis/decompress.h"
#include "checker/format/endian.h"

namespace cowvet {
namespace {

std::optional<std::uint64_t> read_number(const Device& device, std::uint64_t offset) {
  std::byte raw[8];
  if (!device.read(offset, raw)) return std::nullopt;
  return load_big_endian<std::uint64_t>(raw);
}

}  // namespace

std::optional<std::vector<std::byte>> decode_cluster(const Context& context, const DiskState& disk,
                                                     std::uint64_t guest) {
  const Geometry& geometry = context.geometry;
  const std::uint64_t l1_index = guest / geometry.l2_window_bytes;
  if (!disk.l1_usable || l1_index >= disk.l1_entries) return std::nullopt;
  const auto l1 = read_number(context.image, disk.l1_offset + l1_index * 8);
  if (!l1 || L1Entry{*l1}.l2_offset() == 0) return std::nullopt;
  const std::uint64_t index = guest % geometry.l2_window_bytes / geometry.cluster_bytes;
  const auto entry = read_number(context.image, L1Entry{*l1}.l2_offset() + index * geometry.l2_entry_bytes);
  if (!entry || !L2Entry{*entry}.compressed()) return std::nullopt;
  return decode_entry(context.header, context.image, {*entry});
}

std::optional<std::vector<std::byte>> decode_entry(const Header& header, const Device& image, L2Entry entry) {
  if (header.compression_type > static_cast<std::uint8_t>(CompressionType::zstd) || header.has_data_file())
    return std::nullopt;
  const CompressedDescriptor at = decode_compressed(entry, header.cluster_bits);
  if (at.offset >= image.size_bytes()) return std::nullopt;
  std::vector<std::byte> stream(at.end() - at.offset);
  std::vector<std::byte> content(std::uint64_t{1} << header.cluster_bits);
  if (!image.read(at.offset, stream)) return std::nullopt;
  if (!Decompressor(CompressionType{header.compression_type}).decode(stream, content)) return std::nullopt;
  return content;
}

}  // namespace cowvet
