#include "checker/planning/header_draft.h"

#include <algorithm>

namespace cowvet {
namespace {

using Bytes = std::vector<std::byte>;

bool is_donors_own(ExtensionType type) {
  return type == ExtensionType::bitmaps || type == ExtensionType::luks ||
         type == ExtensionType::data_file_name;
}

Bytes as_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

// End marker and all.
Bytes extension_area(const HeaderDraft& draft) {
  Bytes luks, bitmaps;
  const Bytes name = as_bytes(draft.data_file_name);
  std::vector<Extension> extensions;
  if (!draft.donor.empty()) {
    const Header& donor = draft.header;
    const bool has_name = donor.backing_file_offset > donor.header_length;
    const std::uint64_t limit =
        std::min<std::uint64_t>(draft.donor.size(), has_name ? donor.backing_file_offset : ~std::uint64_t{0});
    for (const Extension& extension : walk_extensions(draft.donor, donor.header_length, limit).extensions)
      if (!is_donors_own(extension.type)) extensions.push_back(extension);
  }
  if (draft.luks) {
    luks = encode_luks_pointer(*draft.luks);
    extensions.push_back({.type = ExtensionType::luks, .data = luks});
  }
  if (draft.bitmaps) {
    bitmaps = encode_bitmaps_extension(*draft.bitmaps);
    extensions.push_back({.type = ExtensionType::bitmaps, .data = bitmaps});
  }
  if (!name.empty()) extensions.push_back({.type = ExtensionType::data_file_name, .data = name});
  Bytes area;
  encode_extensions(extensions, area);
  return area;
}

void set_bit(std::uint64_t& bits, std::uint64_t bit, bool value) {
  bits = value ? bits | bit : bits & ~bit;
}

}  // namespace

std::uint64_t HeaderDraft::l2_window_bytes() const {
  const std::uint64_t bytes = std::uint64_t{1} << header.cluster_bits;
  return bytes / (header.has_extended_l2() ? 16 : 8) * bytes;
}

void HeaderDraft::lengthen_l1(std::uint64_t clusters) {
  const std::uint64_t least = ((clusters - 1) << header.cluster_bits) / 8 + 1;
  header.l1_size = static_cast<std::uint32_t>(std::max<std::uint64_t>(header.l1_size, least));
  if (size_is_deduced) header.size = header.l1_size * l2_window_bytes();
}

std::optional<std::vector<Patch>> HeaderDraft::patches(std::uint64_t file_bytes) const {
  const std::uint64_t room = std::min(std::uint64_t{1} << header.cluster_bits, file_bytes);
  if (header.header_length > room) return std::nullopt;
  Header written = header;
  set_bit(written.autoclear_features, kAutoclearBitmaps, bitmaps.has_value());
  if (luks) written.crypt_method = static_cast<std::uint32_t>(CryptMethod::luks);
  Bytes cluster;
  if (fits_in(0, written.header_length, donor.size()))
    cluster.assign(donor.begin(), donor.begin() + written.header_length);  // with fields that nobody knows
  cluster.resize(written.header_length);
  const Bytes area = extension_area(*this);
  cluster.insert(cluster.end(), area.begin(), area.end());
  if (fits_in(header.backing_file_offset, header.backing_file_size, donor.size()) &&
      header.backing_file_size != 0) {
    written.backing_file_offset = cluster.size();
    const std::span name = std::span(donor).subspan(header.backing_file_offset, header.backing_file_size);
    cluster.insert(cluster.end(), name.begin(), name.end());
  } else {
    written.backing_file_offset = 0;
    written.backing_file_size = 0;
  }
  if (cluster.size() > room) return std::nullopt;
  cluster.resize(room);
  encode_header(written, cluster);
  std::vector<Patch> all{{0, std::move(cluster)}};
  all.insert(all.end(), bitmap_flags.begin(), bitmap_flags.end());
  return all;
}

}  // namespace cowvet
