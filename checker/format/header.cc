#include "checker/format/header.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace cowvet {

std::expected<Header, HeaderError> decode_header(std::span<const std::byte> bytes) {
  if (bytes.size() < 8) return std::unexpected(HeaderError::truncated);
  RawHeader raw{};
  std::memcpy(&raw, bytes.data(), std::min(bytes.size(), sizeof raw));
  if (raw.magic != kMagic) return std::unexpected(HeaderError::magic);
  if (raw.version != 2 && raw.version != 3) return std::unexpected(HeaderError::version);
  if (bytes.size() < (raw.version == 2 ? kHeaderV2Bytes : kHeaderV3Bytes))
    return std::unexpected(HeaderError::truncated);

  Header header{.version = raw.version,
                .backing_file_offset = raw.backing_file_offset,
                .backing_file_size = raw.backing_file_size,
                .cluster_bits = raw.cluster_bits,
                .size = raw.size,
                .crypt_method = raw.crypt_method,
                .l1_size = raw.l1_size,
                .l1_table_offset = raw.l1_table_offset,
                .refcount_table_offset = raw.refcount_table_offset,
                .refcount_table_clusters = raw.refcount_table_clusters,
                .nb_snapshots = raw.nb_snapshots,
                .snapshots_offset = raw.snapshots_offset};
  if (raw.version == 2) {
    header.header_length = kHeaderV2Bytes;
    return header;
  }
  header.incompatible_features = raw.incompatible_features;
  header.compatible_features = raw.compatible_features;
  header.autoclear_features = raw.autoclear_features;
  header.refcount_order = raw.refcount_order;
  header.header_length = raw.header_length;
  // "A field is considered not present when header_length is less than or equal to the field's offset."
  if (header.header_length > kCompressionTypeOffset) header.compression_type = raw.compression_type;
  return header;
}

std::size_t encode_header(const Header& header, std::span<std::byte> out) {
  RawHeader raw{};
  raw.magic = kMagic;
  raw.version = header.version;
  raw.backing_file_offset = header.backing_file_offset;
  raw.backing_file_size = header.backing_file_size;
  raw.cluster_bits = header.cluster_bits;
  raw.size = header.size;
  raw.crypt_method = header.crypt_method;
  raw.l1_size = header.l1_size;
  raw.l1_table_offset = header.l1_table_offset;
  raw.refcount_table_offset = header.refcount_table_offset;
  raw.refcount_table_clusters = header.refcount_table_clusters;
  raw.nb_snapshots = header.nb_snapshots;
  raw.snapshots_offset = header.snapshots_offset;
  std::size_t length = kHeaderV2Bytes;
  if (header.version >= 3) {
    raw.incompatible_features = header.incompatible_features;
    raw.compatible_features = header.compatible_features;
    raw.autoclear_features = header.autoclear_features;
    raw.refcount_order = header.refcount_order;
    raw.header_length = header.header_length;
    raw.compression_type = header.compression_type;
    length = std::clamp(header.header_length, kHeaderV3Bytes, kHeaderKnownBytes);
  }
  assert(out.size() >= length);
  std::memcpy(out.data(), &raw, length);
  return length;
}

}  // namespace cowvet
